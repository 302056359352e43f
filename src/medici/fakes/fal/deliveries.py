"""Calling back: signed with a real key, again after a refusal, and wrongly on order."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from medici.fakes.fal.progress import Pace, Status, output_of, status_of
from medici.fakes.faults import FaultKind
from medici.fakes.plane import Plane, Work

MOST_TRIES = 10
FIRST_PAUSE = timedelta(seconds=1)
GLANCE_SECONDS = 0.01  # real time between two looks at the fake's clock
PATIENCE = aiohttp.ClientTimeout(total=15)
USER_ID = "user_of_the_fake"


@dataclass(kw_only=True)
class Delivery:
    """One webhook on its way."""

    work: Work
    url: str
    base: str
    due_at: datetime | None = None  # None until the work has ended
    pause: timedelta = FIRST_PAUSE
    tries: int = 0


class Courier:
    """Sends what is due. ``copies`` is how often each is delivered; ``sent`` counts requests."""

    def __init__(self, plane: Plane, pace: Pace) -> None:
        self._plane = plane
        self._pace = pace
        self._open: list[Delivery] = []
        seeds = Random(plane.seed)  # noqa: S311 - keys that repeat
        self._old, self._new = (
            Ed25519PrivateKey.from_private_bytes(seeds.randbytes(32)) for _ in range(2)
        )
        self.copies = 1
        self.sent = 0

    def expect(self, work: Work, url: str, base: str) -> None:
        self._open.append(Delivery(work=work, url=url, base=base))

    async def tell_keys(self, _request: web.Request) -> web.Response:
        """Publish both keys, the old one first; it is not signed with any more."""
        return web.json_response(
            {"keys": [_published(self._old, "old"), _published(self._new, "new")]}
        )

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Deliver as long as the fake serves."""
        async with aiohttp.ClientSession(timeout=PATIENCE) as session:
            work = asyncio.create_task(self._deliver_forever(session))
            yield
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work

    def message(self, work: Work, base: str) -> bytes:
        """Write a webhook's body."""
        said: dict[str, Any] = {"request_id": work.id, "gateway_request_id": work.id}
        failed = work.canceled or work.fault.kind in {FaultKind.JOB_FAILED, FaultKind.MODERATED}
        if failed:
            said |= {"status": "ERROR", "error": "Invalid status code: 422", "payload": None}
        else:
            said |= {"status": "OK", "error": None, "payload": output_of(work, base)}
        return orjson.dumps(said)

    def headers(self, request_id: str, body: bytes, *, at: datetime) -> dict[str, str]:
        """Sign a body as fal does."""
        timestamp = str(int(at.timestamp()))
        signed = "\n".join((request_id, USER_ID, timestamp, sha256(body).hexdigest())).encode()
        return {
            "Content-Type": "application/json",
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": USER_ID,
            "X-Fal-Webhook-Timestamp": timestamp,
            "X-Fal-Webhook-Signature": self._new.sign(signed).hex(),
        }

    async def _deliver_forever(self, session: aiohttp.ClientSession) -> None:
        while True:
            now = self._plane.now()
            for delivery in self._open:
                done = status_of(delivery.work, self._plane, self._pace) is Status.COMPLETED
                if delivery.due_at is None and done:
                    delivery.due_at = now
            due = [each for each in self._open if each.due_at is not None and each.due_at <= now]
            await asyncio.gather(*(self._deliver(session, each, now) for each in due))
            await asyncio.sleep(GLANCE_SECONDS)

    async def _deliver(
        self, session: aiohttp.ClientSession, delivery: Delivery, now: datetime
    ) -> None:
        delivery.tries += 1
        taken = [await self._taken(session, delivery) for _ in range(self.copies)]
        if all(taken) or delivery.tries >= MOST_TRIES:
            self._open.remove(delivery)
        else:
            delivery.due_at, delivery.pause = now + delivery.pause, delivery.pause * 2

    async def _taken(self, session: aiohttp.ClientSession, delivery: Delivery) -> bool:
        """Send once; tell whether the receiver was content."""
        body = self.message(delivery.work, delivery.base)
        headers = self.headers(delivery.work.id, body, at=self._plane.now())
        self.sent += 1
        try:
            async with session.post(
                delivery.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False


def _published(key: Ed25519PrivateKey, kid: str) -> dict[str, str]:
    raw = key.public_key().public_bytes_raw()
    x = urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid}
