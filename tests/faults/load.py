"""Customers who order renders at a steady pace, whatever becomes of the processes."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import httpx

from medici.adapters.providers.mock import plain_png
from tests.faults.deployments import Deployment
from tests.faults.journal import Journal, Line

CUSTOMERS = 10  # each may have ten renders in progress, which bounds what can pile up
CREDITS = 10_000
MOST_UNANSWERED = 16
PATIENCE_SECONDS = 60.0  # how long a customer with a key goes on asking
PAUSE_SECONDS = 0.2
ORDERS = "/v1/ai/render-jobs"


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Somebody signed in, with credits and an uploaded photo."""

    user_id: str
    headers: dict[str, str]
    image_url: str


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How customers behave; each figure is a share of their orders."""

    per_second: float = 20.0
    keyed: float = 0.5
    canceled: float = 0.1
    repainted: float = 0.02  # by the local provider, a second of one core each


async def arrive(base: str, names: Sequence[str], photo: bytes | None = None) -> list[Customer]:
    """Sign customers in, give them credits and have them upload a photo."""
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        return [await _arrive(client, name, photo or plain_png("room")) for name in names]


async def _arrive(client: httpx.AsyncClient, name: str, photo: bytes) -> Customer:
    signed_in = await client.post("/v1/auth/login-dev", json={"user_id": name})
    headers = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
    gift = {"user_id": name, "amount": CREDITS, "reason": "test", "idempotency_key": name}
    (await client.post("/v1/credits/grant", json=gift)).raise_for_status()
    upload = await client.post("/v1/uploads", headers=headers, files={"file": ("a.png", photo)})
    upload.raise_for_status()
    return Customer(user_id=name, headers=headers, image_url=upload.json()["image_url"])


class Load:
    """Orders that are sent, retried where that is safe, and written into the journal.

    The project of order 7 is called ``order-7``, so that its jobs can be counted afterwards.
    """

    def __init__(
        self,
        bases: Sequence[str],
        customers: Sequence[Customer],
        journal: Journal,
        draw: Random,
        habits: Habits = Habits(),
    ) -> None:
        self._bases = itertools.cycle(bases)
        self._customers = itertools.cycle(customers)
        self._journal = journal
        self._draw = draw
        self._habits = habits
        self._numbers = itertools.count(1)
        self._room = asyncio.Semaphore(MOST_UNANSWERED)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(15.0, connect=2.0), limits=httpx.Limits(max_connections=200)
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Send orders until ``stop`` is set; return when each has its answer or is given up."""
        async with self._client, asyncio.TaskGroup() as group:
            while not stop.is_set():
                await self._room.acquire()
                group.create_task(self._order(next(self._numbers)))
                await asyncio.sleep(1 / self._habits.per_second)

    async def _order(self, number: int) -> None:
        customer, keyed = next(self._customers), self._draw.random() < self._habits.keyed
        repainted = self._draw.random() < self._habits.repainted
        cancels = self._draw.random() < self._habits.canceled
        body = {
            "project_id": f"order-{number}",
            "image_url": customer.image_url,
            "style_id": "modern",
            "operation": "repaint" if repainted else "restyle",
        }
        headers = customer.headers | ({"Idempotency-Key": f"order-{number}"} if keyed else {})
        self._journal.write(Line(order=number, happening="sent", keyed=keyed))
        try:
            answer = await self._answered(number, body, headers, keyed=keyed)
        finally:
            self._room.release()
        if answer is not None and answer.acknowledges and cancels:
            await self._cancel(answer, customer)

    async def _answered(
        self, number: int, body: dict[str, str], headers: dict[str, str], *, keyed: bool
    ) -> Line | None:
        """Send an order; with a key, again until there is an answer to it."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            line = await self._sent(number, body, headers, keyed=keyed)
            self._journal.write(line)
            final = line.happening == "answered" and line.status not in (409, 503)
            if final or not keyed or asyncio.get_running_loop().time() > deadline:
                return line
            await asyncio.sleep(PAUSE_SECONDS)

    async def _sent(
        self, number: int, body: dict[str, str], headers: dict[str, str], *, keyed: bool
    ) -> Line:
        sent_at, begun_at = time.time(), time.monotonic()
        try:
            answer = await self._client.post(next(self._bases) + ORDERS, json=body, headers=headers)
        except httpx.TransportError:
            return Line(order=number, happening="unanswered", keyed=keyed)
        return Line(
            order=number,
            happening="answered",
            keyed=keyed,
            status=answer.status_code,
            job_id=answer.json()["id"] if answer.status_code == 200 else None,
            retry_after=answer.headers.get("Retry-After"),
            sent_at=sent_at,
            took_seconds=time.monotonic() - begun_at,
        )

    async def _cancel(self, order: Line, customer: Customer) -> None:
        await asyncio.sleep(self._draw.uniform(0.0, 2.0))
        url = f"{next(self._bases)}{ORDERS}/{order.job_id}/cancel"
        try:
            answer = await self._client.post(url, headers=customer.headers)
        except httpx.TransportError:
            return  # canceled or not: nobody was told
        if answer.status_code == 200 and answer.json()["canceled"]:
            self._journal.write(
                Line(
                    order=order.order,
                    happening="canceled",
                    keyed=order.keyed,
                    status=200,
                    job_id=order.job_id,
                )
            )


@asynccontextmanager
async def under_load(
    deployment: Deployment, journal: Journal, draw: Random, habits: Habits = Habits()
) -> AsyncIterator[None]:
    """Have customers order while the block runs; at its end each has got an answer or given up."""
    names = [f"customer-{number}" for number in range(CUSTOMERS)]
    customers = await arrive(deployment.bases[0], names)
    load = Load(deployment.bases, customers, journal, draw, habits)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(stop))
        try:
            yield
        finally:
            stop.set()
