"""A stand-in for Replicate: predictions that walk by the clock, signed webhooks, vanishing files.

``app`` wires the routes, ``predictions`` knows how far the work is, ``habits`` holds what can be
chosen, ``deliveries`` calls back, ``files`` keeps uploads and pictures, ``problems`` refuses.
"""
