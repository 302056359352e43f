"""Secrets that we hand out: made at random, kept as a hash, compared without a leak of time."""

import hashlib
import hmac
import secrets


def new_token(prefix: str = "") -> str:
    """Make a secret of 256 random bits, safe in URLs and headers, with ``prefix`` before it."""
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return what is stored in place of a token: its SHA-256, 64 hex digits.

    No salt and no slow hash: nobody can try out 256 random bits, and a lookup needs equality.
    """
    return hashlib.sha256(_octets(token)).hexdigest()


def same_secret(left: str | bytes, right: str | bytes) -> bool:
    """Tell whether two secrets are equal, in a time that says nothing about either."""
    # Digests have one length, so that not even the length of the secret shows.
    return hmac.compare_digest(_digest(left), _digest(right))


def _digest(secret: str | bytes) -> bytes:
    return hashlib.sha256(_octets(secret)).digest()


def _octets(secret: str | bytes) -> bytes:
    # A header may hold anything, lone surrogates included; those must compare, not raise.
    return secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
