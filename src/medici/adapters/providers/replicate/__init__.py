"""Replicate: predictions in a queue, files that vanish after an hour, Standard Webhooks.

``provider`` is what Medici sees, ``wire`` makes the calls, ``inputs`` says what each model wants,
``answers`` reads what comes back, ``failures`` and ``costs`` judge it. ``webhooks`` tells the
vendor's calls from forged ones, with the secret that ``signing`` knows.
"""
