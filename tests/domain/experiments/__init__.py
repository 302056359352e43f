"""Experiments: their statistics, figures, rules and commands."""
