"""fal: a queue before many makers' models. It takes work, is looked at, and calls when done."""
