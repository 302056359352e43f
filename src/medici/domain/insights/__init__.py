"""Insights: what the business looks like, read from every capability and written into none.

Nouns: overview, dashboard, provider's health, subscription figures, margin. Every figure says what
it was counted from: rates carry their counts and interval, percentiles their method, money its
currency; amounts of different currencies are never added.
"""
