"""Commands of assignments."""
