"""Sending many requests at once and timing each."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import aiohttp
from tests.faults.load import Customer

Request: TypeAlias = Callable[[aiohttp.ClientSession], Awaitable[int]]  # gives the status


@dataclass(frozen=True, slots=True, kw_only=True)
class Knocked:
    """What came of many requests; ``seconds`` of each, ``took`` of all."""

    statuses: list[int]
    seconds: list[float]
    took: float

    @property
    def per_second(self) -> float:
        return len(self.statuses) / self.took


async def knock(requests: Iterable[Request], *, at_once: int) -> Knocked:
    """Send requests, ``at_once`` of them in flight at any moment."""
    waiting = iter(requests)
    statuses: list[int] = []
    seconds: list[float] = []

    async def send(session: aiohttp.ClientSession) -> None:
        for request in waiting:
            sent_at = time.perf_counter()
            statuses.append(await request(session))
            seconds.append(time.perf_counter() - sent_at)

    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        began_at = time.perf_counter()
        await asyncio.gather(*(send(session) for _ in range(at_once)))
        return Knocked(statuses=statuses, seconds=seconds, took=time.perf_counter() - began_at)


def posting(url: str, customer: Customer, body: dict[str, object]) -> Request:
    """Return a request that posts JSON for a customer."""

    async def post(session: aiohttp.ClientSession) -> int:
        async with session.post(url, json=body, headers=customer.headers) as answer:
            await answer.read()
            return answer.status

    return post
