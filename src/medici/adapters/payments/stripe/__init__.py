"""Stripe: signed events become news, and what they leave out is asked for.

``signature`` proves an event, ``event`` opens it, ``events`` puts both before a receiver.
``objects`` are the parts of Stripe's objects that we read, in both of its shapes;
``subscriptions``, ``invoices``, ``checkouts`` and ``refunds`` say what they mean, and ``telling``
knows which event is about which. ``wire`` speaks plain HTTP with Stripe; ``store`` asks,
``checkout`` sells, ``catalogue`` sets up what is sold.
"""
