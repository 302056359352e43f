"""Restyles a photo of a room with classical image processing: paint and mood, nothing invented.

Nouns: a **region** is a patch of the picture bounded by edges; a **surface** is a wall, the
ceiling, the floor or a window, made of regions; a **matte** says how much of each pixel belongs
to a surface (0..1); a **look** is a style after the customer's own words were read into it.

Invariants: the same bytes and the same order give the same bytes. Paint multiplies light and
never invents it, so shadows, mouldings and grain stay. What was not recognised with confidence is
not painted, and the notes say so.

Pixels only: no input or output besides bytes, no event loop. It is slow and takes memory, so it is
imported in a child process and nowhere else.
"""
