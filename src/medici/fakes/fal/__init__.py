"""A stand-in for fal's queue: takes work, walks it through the queue, and calls when it is done."""
