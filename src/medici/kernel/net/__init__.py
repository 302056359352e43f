"""The one way out: every request to another machine goes through ``OutgoingClient``.

No address that is not public is ever connected to, whoever names it and however it is spelled:
the URL is judged, what its name resolves to is judged, and the socket is judged once more.
"""
