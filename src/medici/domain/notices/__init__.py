"""Notices: what Medici tells other systems of its own accord, by signed webhooks.

Nouns: an *endpoint* is an address that wants to hear of some types of notice; a *notice* is one
thing that happened, told whole; a *delivery* is one notice on its way to one endpoint; an *attempt*
is one try at a delivery.

Invariants: a notice is written in the transaction of what it tells about; it reaches each endpoint
at least once, under one id however often it is tried; nothing is sent to an address that is not
public unless this deployment's settings name it.
"""
