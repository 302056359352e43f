"""Keeping what facts add up to."""
