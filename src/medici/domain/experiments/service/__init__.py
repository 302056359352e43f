"""What is done to experiments, by their operators and by automation."""
