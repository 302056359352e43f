"""A stand-in for the App Store: its server API, and the notifications that it signs and sends.

It signs with a root certificate of its own making, which it hands out at ``/__fake/root.der``.
Whoever trusts that root takes its words for Apple's, so it belongs into no production.
"""
