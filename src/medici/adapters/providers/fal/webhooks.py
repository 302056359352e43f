"""Telling fal's calls from forged ones: Ed25519, over what the headers say and the body's hash."""

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel

from medici.adapters.providers.provider import WebhookRefused

TOLERANCE_SECONDS = 300
REQUEST_ID = "x-fal-webhook-request-id"
USER_ID = "x-fal-webhook-user-id"
TIMESTAMP = "x-fal-webhook-timestamp"
SIGNATURE = "x-fal-webhook-signature"


class PublishedKey(BaseModel):
    kty: str = ""
    crv: str = ""
    x: str = ""


class KeySet(BaseModel):
    keys: tuple[PublishedKey, ...]


def public_keys(published: KeySet) -> tuple[Ed25519PublicKey, ...]:
    """Return the keys that can be used; others are passed over."""
    return tuple(_usable(published.keys))


def message(*, request_id: str, user_id: str, timestamp: str, body: bytes) -> bytes:
    """Return what is signed."""
    return "\n".join((request_id, user_id, timestamp, sha256(body).hexdigest())).encode()


def verify(
    keys: Sequence[Ed25519PublicKey], headers: Mapping[str, str], body: bytes, *, now: datetime
) -> str:
    """Accept a call that one of the keys signed just now; return the request that it is about.

    Raises:
        WebhookRefused: with what is wrong, as far as that helps nobody to forge one.
    """
    request_id, user_id = headers.get(REQUEST_ID, ""), headers.get(USER_ID, "")
    timestamp = headers.get(TIMESTAMP, "")
    if not request_id:
        raise WebhookRefused("the webhook is not signed")
    _check_age(timestamp, now)
    try:
        signature = bytes.fromhex(headers.get(SIGNATURE, ""))
    except ValueError as error:
        raise WebhookRefused("the webhook's signature cannot be read") from error
    signed = message(request_id=request_id, user_id=user_id, timestamp=timestamp, body=body)
    if not any(_signed_by(key, signature, signed) for key in keys):
        raise WebhookRefused("the webhook's signature is not the provider's")
    return request_id


def _signed_by(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _check_age(timestamp: str, now: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookRefused("the webhook does not say when it was sent")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise WebhookRefused("the webhook is too old, or from the future")


def _usable(keys: Iterable[PublishedKey]) -> Iterable[Ed25519PublicKey]:
    for key in keys:
        if (key.kty, key.crv) != ("OKP", "Ed25519"):
            continue
        try:
            raw = urlsafe_b64decode(key.x + "=" * (-len(key.x) % 4))
            yield Ed25519PublicKey.from_public_bytes(raw)
        except ValueError:
            continue
