"""Credits: balances, movements, their history, and the daily reset."""
