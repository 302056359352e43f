"""The commands that stand together under one word, with their options."""
