"""Which provider serves what: provider settings in versions, and the choice they lead to.

A *version* is the whole of the provider settings as they were published; versions only grow, and
the newest is in force. A *route* names the providers of an operation or of a part of the room. The
*candidate chain* is the order in which providers are tried for one render.
"""
