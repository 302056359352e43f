"""Experiments: which variants apps show, and how operators set up, follow and roll out tests.

Apps ask ``assigning`` for variants and tell it what was shown. ``setups`` is what this process
keeps of the experiments that run, ``asking`` turns a user's question into one that the domain
answers, and ``assigner`` answers those of many at once.
"""
