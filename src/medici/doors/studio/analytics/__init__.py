"""What clients report, and what operators see of it."""
