"""The daily reset: one grant per wallet and day, in batches that can be taken up again."""
