"""Statistics of experiments, against other people's libraries and against what must always hold."""
