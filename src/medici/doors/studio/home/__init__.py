"""What an app shows first: its start-up data, a user's board and profile."""
