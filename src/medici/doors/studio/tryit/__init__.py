"""The try-it page at ``/``: a newcomer sees a photo of a room restyled, by our own API.

The page is a client like any other: it signs in, uploads, orders and follows a render through the
public routes. Nothing in it is inline and nothing comes from another host.
"""
