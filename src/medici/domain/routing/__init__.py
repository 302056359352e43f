"""Which provider serves what: provider settings in versions, and the choice they lead to.

A *version* is the whole of the provider settings as they were published; versions only grow, leave
no gap, and never change. The newest is in force, unless it is a *canary*, which only some users
take until it is promoted, aborted, or taken back because it does worse. The *draft* is what becomes
the next version; its *revision* counts its changes.

A *route* names the providers of an operation or of a part of the room, perhaps with weights. The
*candidate chain* is the order in which providers are tried for one render; the *outlook* is what
they are expected to cost and how long to take, as measured or by the price list.

A *treatment* is what a variant of an experiment changes of all this for its users: merged over the
version that they would go by, never published. It enables nobody who is switched off.
"""
