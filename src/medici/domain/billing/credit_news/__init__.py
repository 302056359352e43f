"""Telling of credits: given, low, about to end, ended."""
