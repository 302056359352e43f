"""Delivering events: signed, in order or not, again and again if so wanted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import digest

import aiohttp
import orjson
from aiohttp import web

from medici.fakes.plane import Plane
from medici.fakes.stripe.books import Books
from medici.fakes.stripe.habits import Habits
from medici.fakes.stripe.params import Record

FIRST_PAUSE = timedelta(seconds=1)
RETRIED_FOR = timedelta(minutes=10)
GLANCE_SECONDS = 0.01  # real time between two looks at the fake's clock
PATIENCE = aiohttp.ClientTimeout(total=5)


@dataclass(kw_only=True)
class Delivery:
    """One event on its way to whoever wants it."""

    event: Record
    url: str
    due_at: datetime
    until: datetime  # the last moment at which it is sent once more
    pause: timedelta = FIRST_PAUSE
    taken: int = 0  # how often the receiver was content


class Courier:
    """Sends what is due, one event after the other. ``sent`` counts every request."""

    def __init__(self, plane: Plane, books: Books, habits: Habits) -> None:
        self._plane = plane
        self._books = books
        self._habits = habits
        self._open: list[Delivery] = []
        self._round_made = asyncio.Event()
        self.sent = 0

    def expect(self, event: Record) -> None:
        """Plan an event's delivery, as the habits are now."""
        if self._habits.webhook_url is None:
            return
        now = self._plane.now() + timedelta(seconds=self._habits.delay_seconds)
        self._open.append(
            Delivery(event=event, url=self._habits.webhook_url, due_at=now, until=now + RETRIED_FOR)
        )

    async def quiet(self) -> None:
        """Wait until nothing is to be sent now."""
        while any(each.due_at <= self._plane.now() for each in self._open):
            await self._round_made.wait()

    async def tell(self, _request: web.Request) -> web.Response:
        """Say how many requests went out, and how many events are still on their way."""
        return web.json_response({"sent": self.sent, "open": len(self._open)})

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Deliver as long as the fake serves."""
        async with aiohttp.ClientSession(timeout=PATIENCE) as session:
            work = asyncio.create_task(self._deliver_forever(session))
            yield
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work

    async def _deliver_forever(self, session: aiohttp.ClientSession) -> None:
        while True:
            now = self._plane.now()
            due = [each for each in self._open if each.due_at <= now]
            for delivery in reversed(due) if self._habits.reorder else due:
                await self._deliver(session, delivery, now)
            self._round_made.set()
            self._round_made.clear()
            await asyncio.sleep(GLANCE_SECONDS)

    async def _deliver(
        self, session: aiohttp.ClientSession, delivery: Delivery, now: datetime
    ) -> None:
        if await self._taken(session, delivery):
            delivery.taken += 1
        else:
            delivery.due_at, delivery.pause = now + delivery.pause, delivery.pause * 2
        if delivery.taken >= self._habits.deliveries or delivery.due_at > delivery.until:
            self._open.remove(delivery)

    async def _taken(self, session: aiohttp.ClientSession, delivery: Delivery) -> bool:
        """Send once; tell whether the receiver was content."""
        body = orjson.dumps(self._books.told(delivery.event))
        headers = {"Content-Type": "application/json", "Stripe-Signature": self.signature(body)}
        self.sent += 1
        try:
            async with session.post(
                delivery.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.ok and answer.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False

    def signature(self, body: bytes) -> str:
        """Sign with every secret, as the vendor does while one replaces another."""
        timestamp = str(int(self._plane.now().timestamp()))
        signed = timestamp.encode() + b"." + body
        signatures = [
            f"v1={digest(secret.encode(), signed, 'sha256').hex()}"
            for secret in self._habits.secrets
        ]
        return ",".join([f"t={timestamp}", *signatures, f"v0={'0' * 64}"])
