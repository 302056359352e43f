"""The keys that webhooks are signed with: one in use, one before it, and those withdrawn."""

from base64 import urlsafe_b64encode
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from random import Random

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from medici.fakes.faults import Fault

USER_ID = "user_of_the_fake"


class KeyAge(StrEnum):
    """Which key signs. Only the newest two are published."""

    CURRENT = "current"
    OLD = "old"
    WITHDRAWN = "withdrawn"


AGES = {KeyAge.CURRENT: -1, KeyAge.OLD: -2, KeyAge.WITHDRAWN: -3}


class SigningKeys:
    """Real Ed25519 keys that follow from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - keys that repeat are the point
        self._keys = [self._new_key() for _ in AGES]

    def rotate(self) -> None:
        """Sign with a new key from now on; the one in use becomes the old one."""
        self._keys.append(self._new_key())

    async def tell(self, _request: web.Request, _fault: Fault) -> web.Response:
        """Publish the newest two, the older one first."""
        ages = (KeyAge.OLD, KeyAge.CURRENT)
        return web.json_response({"keys": [self._published(age) for age in ages]})

    def headers(
        self, request_id: str, body: bytes, *, at: datetime, key: KeyAge = KeyAge.CURRENT
    ) -> dict[str, str]:
        """Sign a body as fal does."""
        timestamp = str(int(at.timestamp()))
        signed = "\n".join((request_id, USER_ID, timestamp, sha256(body).hexdigest())).encode()
        return {
            "Content-Type": "application/json",
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": USER_ID,
            "X-Fal-Webhook-Timestamp": timestamp,
            "X-Fal-Webhook-Signature": self._keys[AGES[key]].sign(signed).hex(),
        }

    def _new_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._random.randbytes(32))

    def _published(self, age: KeyAge) -> dict[str, str]:
        place = len(self._keys) + AGES[age]
        raw = self._keys[place].public_key().public_bytes_raw()
        x = urlsafe_b64encode(raw).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": f"key-{place}"}
