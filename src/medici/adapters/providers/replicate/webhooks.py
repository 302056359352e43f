"""Telling Replicate's calls from forged ones: Standard Webhooks, HMAC-SHA256.

The signature is over ``id.timestamp.body``. Several may stand side by side, since a secret that
is being replaced signs along with the new one.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from medici.adapters.providers.provider import WebhookRefused

TOLERANCE_SECONDS = 300
MOST_SIGNATURES = 10
VERSION = "v1"
PREFIX = "whsec_"


def secret_bytes(secret: str) -> bytes:
    """Read a secret as the vendor writes it.

    Raises:
        ValueError: it is not of the form ``whsec_<base64>``.
    """
    if not secret.startswith(PREFIX):
        raise ValueError("a webhook secret starts with whsec_")
    try:
        read = b64decode(secret.removeprefix(PREFIX), validate=True)
    except NoBase64:
        raise ValueError("a webhook secret holds base64 after whsec_") from None
    if not read:
        raise ValueError("the webhook secret is empty")
    return read


def signature(key: bytes, *, webhook_id: str, timestamp: str, body: bytes) -> str:
    """Sign a call the way the vendor does."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return f"{VERSION},{b64encode(hmac.digest(key, signed, sha256)).decode()}"


def verify(key: bytes, headers: Mapping[str, str], body: bytes, *, now: datetime) -> None:
    """Accept a call that is signed with the key and not older or newer than the tolerance.

    Raises:
        WebhookRefused: with what is wrong, as far as that helps nobody to forge one.
    """
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split()
    if not (webhook_id and given):
        raise WebhookRefused("the webhook is not signed")
    _check_age(timestamp, now)
    expected = signature(key, webhook_id=webhook_id, timestamp=timestamp, body=body).encode()
    # Every one is compared, so that the time taken tells nothing.
    matches = [hmac.compare_digest(expected, each.encode()) for each in given[:MOST_SIGNATURES]]
    if not any(matches):
        raise WebhookRefused("the webhook's signature is not the provider's")


def _check_age(timestamp: str, now: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookRefused("the webhook does not say when it was sent")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise WebhookRefused("the webhook is too old, or from the future")
