"""Pixels, kept out of this process.

A *picture* is what intake makes of a customer's file: decoded, upright, in sRGB, encoded anew with
nothing but pixels. An *operation* is one piece of work on pictures, done by name in a child
process that is started on demand, limited in memory and processor time, and ended when idle.

Only the child imports numpy, Pillow and OpenCV (``child``, ``operations``, ``intake``); everything
else here is safe to import anywhere. A child never outlives its parent, and whatever becomes of it,
the caller gets an answer or a named error.
"""
