"""Credits: who has how many, where they came from and where they went.

Nouns: a *wallet* belongs to one owner and knows two numbers, available and held. *Grants* are the
parcels its credits came in, each with a source and perhaps an end. A *hold* reserves credits for
work in progress. A *transaction* is one posting; its *entries* sum to zero and never change.

Verbs: issue, renew, top up, move and revoke a grant; consume; place, capture, void and settle a
hold; refund; adjust; park. Each locks the wallet, looks for the same request, decides in plain
Python on a ``Book``, and writes once.

Invariants: the balance is never below zero; every number equals the sum of its entries; credits go
back to the grant they came from; the same request has one effect. ``audit`` checks all fifteen.
"""
