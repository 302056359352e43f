"""Google Play: its push messages, and its API, which alone knows how a purchase stands.

Nouns: a *message* says only that something changed; a *handle* names what to ask for then. A
*token* is one purchase; a later one that took its place is *linked* to it, so that the first token
of the chain names the lineage. An *order* is one payment.
"""
