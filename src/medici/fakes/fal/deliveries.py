"""Calling back by itself: when work has ended, and again after a refusal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from medici.fakes.fal.progress import Pace, Status, error_of, output_of, status_of
from medici.fakes.fal.signing import SigningKeys
from medici.fakes.plane import Plane, Work

MOST_TRIES = 10
FIRST_PAUSE = timedelta(seconds=1)
GLANCE_SECONDS = 0.01  # real time between two looks at the fake's clock
PATIENCE = aiohttp.ClientTimeout(total=15)


@dataclass(kw_only=True)
class Delivery:
    """One webhook on its way, or taken; ``base`` is where the fake's pictures are."""

    work: Work
    url: str
    base: str
    due_at: datetime | None = None  # None until the work has ended
    pause: timedelta = FIRST_PAUSE
    tries: int = 0
    is_out: bool = False  # it is being sent, and its answer waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A webhook as it is sent."""

    url: str
    body: bytes
    headers: dict[str, str]


class Courier:
    """Sends what is due.

    ``copies`` is how often each webhook is delivered; ``sent`` counts requests. While it is not
    ``automatic``, nothing goes out that is not ordered. ``overtakes`` is how many webhooks go out
    before the answer to their submission does.
    """

    def __init__(self, plane: Plane, pace: Pace) -> None:
        self.keys = SigningKeys(plane.seed)
        self.copies = 1
        self.automatic = True
        self.overtakes = 0
        self.sent = 0
        self._plane = plane
        self._pace = pace
        self._open: list[Delivery] = []
        self._by_work: dict[str, Delivery] = {}
        self._session: aiohttp.ClientSession | None = None
        self._round_made = asyncio.Event()

    async def expect(self, work: Work, url: str, base: str) -> None:
        """Plan the webhook of new work, and send it at once where it shall overtake the answer."""
        delivery = Delivery(work=work, url=url, base=base)
        self._by_work[work.id] = delivery
        if self.overtakes:
            self.overtakes -= 1
            await self.send(self.letter(delivery))
        self._open.append(delivery)

    def delivery(self, request_id: str | None) -> Delivery | None:
        """Find the webhook of some work, taken or not; without an id, that of the newest."""
        if request_id is not None:
            return self._by_work.get(request_id)
        return next(reversed(self._by_work.values()), None)

    async def quiet(self) -> None:
        """Wait until nothing is to be sent now and every call has been answered."""
        while not self._is_quiet():
            await self._round_made.wait()

    def _is_quiet(self) -> bool:
        waiting = self._due(self._plane.now()) if self.automatic else []
        return not waiting and not any(delivery.is_out for delivery in self._open)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Deliver as long as the fake serves."""
        async with aiohttp.ClientSession(timeout=PATIENCE) as self._session:
            work = asyncio.create_task(self._deliver_forever())
            yield
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work

    def message(self, work: Work, base: str) -> bytes:
        """Write a webhook's body."""
        said: dict[str, Any] = {"request_id": work.id, "gateway_request_id": work.id}
        if error_of(work):
            said |= {"status": "ERROR", "error": "Invalid status code: 422", "payload": None}
        else:
            said |= {"status": "OK", "error": None, "payload": output_of(work, base)}
        return orjson.dumps(said)

    def letter(self, delivery: Delivery) -> Letter:
        body = self.message(delivery.work, delivery.base)
        headers = self.keys.headers(delivery.work.id, body, at=self._plane.now())
        return Letter(url=delivery.url, body=body, headers=headers)

    async def send(self, letter: Letter) -> int | None:
        """Send once and return the receiver's status; None where nobody answered."""
        if self._session is None:
            raise RuntimeError("the fake is not being served")
        self.sent += 1
        try:
            async with self._session.post(
                letter.url, data=letter.body, headers=letter.headers, allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    def _due(self, now: datetime) -> list[Delivery]:
        for delivery in self._open:
            done = status_of(delivery.work, self._plane, self._pace) is Status.COMPLETED
            if delivery.due_at is None and done:
                delivery.due_at = now
        return [
            delivery
            for delivery in self._open
            if delivery.due_at is not None and delivery.due_at <= now and not delivery.is_out
        ]

    async def _deliver_forever(self) -> None:
        """Send whatever is due; a receiver that is slow holds up its own webhooks alone."""
        async with asyncio.TaskGroup() as under_way:
            while True:
                now = self._plane.now()
                for delivery in self._due(now) if self.automatic else ():
                    delivery.is_out = True
                    under_way.create_task(self._deliver(delivery, now))
                self._end_round()
                await asyncio.sleep(GLANCE_SECONDS)

    def _end_round(self) -> None:
        """Wake those who wait for quiet, and have the next ones wait for the next round."""
        self._round_made.set()
        self._round_made.clear()

    async def _deliver(self, delivery: Delivery, now: datetime) -> None:
        delivery.tries += 1
        answers = [await self.send(self.letter(delivery)) for _ in range(self.copies)]
        delivery.is_out = False
        taken = all(status is not None and 200 <= status < 300 for status in answers)
        if taken or delivery.tries >= MOST_TRIES:
            self._open.remove(delivery)
        else:
            delivery.due_at, delivery.pause = now + delivery.pause, delivery.pause * 2
