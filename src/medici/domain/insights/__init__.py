"""Insights: what the business looks like, read from every capability and written into none."""
