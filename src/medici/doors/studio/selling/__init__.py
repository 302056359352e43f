"""Purchases: what stores tell, what clients hand in, what users hold, and paying on the web."""
