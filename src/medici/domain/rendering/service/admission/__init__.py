"""Admission of renders, many at once: lock and read, decide in plain Python, write.

A batch of one is the plain path. The orders of one user are decided in their order, each on what
the ones before it left.
"""
