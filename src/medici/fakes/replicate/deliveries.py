"""Calling back: signed, again after a refusal, and silent a minute after the end."""

import asyncio
import hmac
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random

import aiohttp
import orjson
from aiohttp import web

from medici.fakes.plane import Plane, Work
from medici.fakes.replicate.habits import Habits
from medici.fakes.replicate.predictions import Predictions

RETRIED_FOR = timedelta(seconds=60)  # of the terminal event; others are sent once
FIRST_PAUSE = timedelta(seconds=1)
GLANCE_SECONDS = 0.01  # real time between two looks at the fake's clock
PATIENCE = aiohttp.ClientTimeout(total=5)
START, COMPLETED = "start", "completed"


@dataclass(kw_only=True)
class Delivery:
    """One event on its way; ``id`` stays the same when it is sent again."""

    id: str
    work: Work
    event: str
    url: str
    base: str
    due_at: datetime
    until: datetime  # the last moment at which it is sent once more
    pause: timedelta = FIRST_PAUSE
    tries: int = 0
    taken: int = 0  # how often the receiver was content
    is_out: bool = False  # it is being sent, and its answer waited for


class Courier:
    """Sends what is due. ``sent`` counts every request that went out."""

    def __init__(self, plane: Plane, predictions: Predictions, habits: Habits) -> None:
        self._plane = plane
        self._predictions = predictions
        self._habits = habits
        self._open: list[Delivery] = []
        self._key = Random(plane.seed).randbytes(24)  # noqa: S311 - a secret that repeats
        self._round_made = asyncio.Event()
        self.sent = 0

    @property
    def secret(self) -> str:
        return f"whsec_{b64encode(self._key).decode()}"

    async def quiet(self) -> None:
        """Wait until nothing is to be sent now and every call has been answered."""
        while not self._is_quiet():
            await self._round_made.wait()

    def _is_quiet(self) -> bool:
        now = self._plane.now()
        return all(delivery.due_at > now and not delivery.is_out for delivery in self._open)

    def expect(self, work: Work, base: str) -> None:
        """Plan the events that the order of a prediction asked for."""
        order = self._predictions.order(work)
        if order.webhook is None:
            return
        moments = {
            START: (order.starts_at, order.starts_at),
            COMPLETED: (order.ends_at, order.ends_at + RETRIED_FOR),
        }
        for event, (due_at, until) in moments.items():
            if event in order.events:
                self._open.append(
                    Delivery(
                        id=f"msg_{self._plane.new_id()}",
                        work=work,
                        event=event,
                        url=order.webhook,
                        base=base,
                        due_at=due_at,
                        until=until,
                    )
                )

    def hasten(self, work: Work) -> None:
        """Tell of a canceled prediction now, and of its start never."""
        now = self._plane.now()
        self._open = [
            each for each in self._open if each.work is not work or each.event == COMPLETED
        ]
        for each in self._open:
            if each.work is work:
                each.due_at, each.until = now, now + RETRIED_FOR

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
        """Send whatever is due; a receiver that is slow holds up its own webhooks alone."""
        async with asyncio.TaskGroup() as under_way:
            while True:
                now = self._plane.now()
                due = [each for each in self._open if each.due_at <= now and not each.is_out]
                for delivery in due:
                    delivery.is_out = True
                    under_way.create_task(self._deliver(session, delivery, now))
                self._end_round()
                await asyncio.sleep(GLANCE_SECONDS)

    def _end_round(self) -> None:
        """Wake those who wait for quiet, and have the next ones wait for the next round."""
        self._round_made.set()
        self._round_made.clear()

    async def _deliver(
        self, session: aiohttp.ClientSession, delivery: Delivery, now: datetime
    ) -> None:
        if delivery.tries and now > delivery.until:
            self._close(delivery)
            return
        delivery.tries += 1
        taken = await self._taken(session, delivery)
        delivery.is_out = False
        delivery.taken += taken
        if delivery.taken >= self._habits.deliveries:
            self._close(delivery)
        elif not taken:
            delivery.due_at, delivery.pause = now + delivery.pause, delivery.pause * 2

    def _close(self, delivery: Delivery) -> None:
        self._open = [each for each in self._open if each is not delivery]

    async def _taken(self, session: aiohttp.ClientSession, delivery: Delivery) -> bool:
        """Send once; tell whether the receiver was content."""
        body = orjson.dumps(self._predictions.told(delivery.work, delivery.base))
        timestamp = str(int(self._plane.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": delivery.id,
            "webhook-timestamp": timestamp,
            "webhook-signature": self.signature(delivery.id, timestamp, body),
        }
        self.sent += 1
        try:
            async with session.post(
                delivery.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.ok and answer.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False

    def signature(self, webhook_id: str, timestamp: str, body: bytes) -> str:
        """Sign with the key in use and, first, with one that has been replaced."""
        signed = f"{webhook_id}.{timestamp}.".encode() + body
        keys = (self._key[::-1], self._key)
        return " ".join(
            f"v1,{b64encode(hmac.digest(key, signed, sha256)).decode()}" for key in keys
        )
