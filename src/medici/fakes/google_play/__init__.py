"""A stand-in for Google Play: its API, the tokens for it, and the pushes of Pub/Sub.

Purchases are scripted as Google's own resources. Whoever trusts its keys takes its pushes for
Google's, so it belongs into no production.
"""
