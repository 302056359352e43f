"""The wire: one package per kind of client, each with its own accent, and what they share."""
