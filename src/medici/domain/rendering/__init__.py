"""Render jobs: from a customer's photo to a delivered picture, charged once.

Nouns: render job (one wanted picture), attempt (one try at one provider).
Verbs: submit, begin, send, observe, settle, cancel.
Invariants: the intent to send is stored before anything is sent; a job ends exactly once; its hold
is captured exactly when a picture is delivered and released in every other end.
"""
