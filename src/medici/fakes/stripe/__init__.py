"""A stand-in for Stripe: catalogue, checkouts with a page to pay at, renewals, refunds, webhooks.

``app`` wires the routes and ``api`` answers them: parameters, idempotency, expansion, both shapes.
``books`` keeps every object, in the shape of the newest version; ``shapes`` writes the older one.
``catalogue``, ``checkouts``, ``subscriptions``, ``billing`` and ``payments`` do what the vendor
does; ``log`` writes events down and ``courier`` delivers them. ``control`` is what only a fake
has: paying, renewing, failing, disputing on order.
"""
