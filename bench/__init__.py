"""What Medici costs and how fast it is, beside the limit of the same machine in the same run."""
