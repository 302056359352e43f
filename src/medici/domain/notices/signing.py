"""Signatures as the Standard Webhooks scheme has them.

Source: https://www.standardwebhooks.com, version 1: HMAC-SHA256 over id, time and body.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from medici.kernel.crypto import Key, new_key
from medici.kernel.keyring import KeyRing

PREFIX = "whsec_"
KEY_ID = "webhook-secret"  # what sealed secrets are bound to, beside their endpoint
LAST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A fresh secret: once as its receiver reads it, once sealed for its endpoint."""

    text: str = field(repr=False)
    sealed: str = field(repr=False)

    @property
    def last4(self) -> str:
        return self.text[-LAST:]


def new_secret(keys: KeyRing, endpoint_id: UUID) -> Secret:
    """Make a secret of 256 random bits."""
    key = new_key(KEY_ID)
    return Secret(
        text=PREFIX + base64.b64encode(key.secret).decode(),
        sealed=keys.wrap(key, _owner(endpoint_id)),
    )


def opened(keys: KeyRing, sealed: str, endpoint_id: UUID) -> Key:
    """Open a sealed secret.

    Raises:
        UnknownKey: what it was sealed with has left the ring.
        CannotDecrypt: damaged, or another endpoint's.
    """
    return keys.unwrap(sealed, _owner(endpoint_id), KEY_ID)


def resealed(keys: KeyRing, sealed: str, endpoint_id: UUID) -> str:
    """Seal a secret under the newest key; unchanged if it already is. Raises as ``opened`` does."""
    return keys.rewrap(sealed, _owner(endpoint_id), KEY_ID)


def message_id(notice_id: UUID) -> str:
    """Return the id by which receivers tell a second delivery of the same notice."""
    return f"msg_{notice_id.hex}"


def signed_headers(
    *, notice_id: UUID, body: bytes, secrets: Iterable[Key], now: datetime
) -> Mapping[str, str]:
    """Return the headers that prove a body ours, signed by each of the secrets."""
    name, seconds = message_id(notice_id), str(int(now.timestamp()))
    signed = b".".join((name.encode(), seconds.encode(), body))
    return {
        "webhook-id": name,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: Key, signed: bytes) -> str:
    digest = hmac.digest(secret.secret, signed, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def _owner(endpoint_id: UUID) -> str:
    return f"webhook_endpoint:{endpoint_id}"
