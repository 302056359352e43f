"""Telling Stripe's events from forged ones.

``Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>…]`` signs ``t.body`` with HMAC-SHA256. The
whole secret is the key, ``whsec_`` included. Two secrets sign while one replaces the other.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from medici.adapters.payments.errors import SignatureRefused

TOLERANCE_SECONDS = 300
LONGEST_HEADER = 4096
MOST_SIGNATURES = 10
SCHEME = "v1"


def verify(raw: bytes, header: str | None, secrets: Sequence[str], *, now: datetime) -> None:
    """Accept a body that one of the secrets signed, at most five minutes from now, either way.

    Raises:
        SignatureRefused: with what is wrong, as far as that helps nobody to forge one.
    """
    keys = [secret.encode() for secret in secrets if secret.strip()]
    if not keys:
        raise SignatureRefused("no signing secret is configured")
    timestamp, given = _parts(header)
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise SignatureRefused("the event was signed too long ago, or in the future")
    expected = [signature(raw, key, timestamp=timestamp).encode() for key in keys]
    # Every pair is compared, so that the time taken tells nothing.
    matches = [hmac.compare_digest(one, other) for one in expected for other in given]
    if not any(matches):
        raise SignatureRefused("the signature is not Stripe's")


def signature(raw: bytes, key: bytes, *, timestamp: str) -> str:
    """Sign a body as Stripe does, in lower-case hex."""
    return hmac.digest(key, timestamp.encode() + b"." + raw, sha256).hex()


def _parts(header: str | None) -> tuple[str, list[bytes]]:
    """Take the header apart into its one timestamp and the signatures of our scheme."""
    if not header or len(header) > LONGEST_HEADER:
        raise SignatureRefused("the event is not signed")
    pairs = [part.partition("=") for part in header.split(",")]
    timestamps = [value for name, _, value in pairs if name == "t"]
    given = [value.encode(errors="replace") for name, _, value in pairs if name == SCHEME]
    if len(timestamps) != 1 or not _is_time(timestamps[0]):
        raise SignatureRefused("the signature does not say when it was made")
    if not given:
        raise SignatureRefused(f"there is no signature of scheme {SCHEME}")
    return timestamps[0], given[:MOST_SIGNATURES]


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12
