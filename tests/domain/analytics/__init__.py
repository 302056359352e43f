"""Analytics: what is reported, rolled up, and added up again."""
