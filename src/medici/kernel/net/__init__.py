"""The one way out: every request to another machine goes through ``OutgoingClient``.

No address that is not public is ever connected to, however it is spelled, unless the operator
vouches for it: the URL is judged, what its name resolves to is judged, and the socket is judged
once more. An address that a customer named gains nothing from what the operator vouches for
(``Trust``), and ``Credentials`` reach the one origin that they are for.
"""
