"""The App Store: its signed notifications, its customers' signed transactions, and its server API.

Nouns: a *signed word* is a JWS whose chain of certificates ends in Apple's root. A notification is
one that holds two more, the *transaction* and the *renewal*. Nothing of a word is believed before
its signature, chain, app and environment were checked.
"""
