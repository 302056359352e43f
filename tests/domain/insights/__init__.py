"""Insights: figures, alerts and margins."""
