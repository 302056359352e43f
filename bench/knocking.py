"""Sending many requests at once and timing each, by a client that leaves the processor alone."""

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.faults.load import Customer

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request, ready to be written to a connection with ``host`` and ``port``."""

    host: str
    port: int
    message: bytes


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
    """Send requests, ``at_once`` of them in flight at any moment, each on a kept connection."""
    waiting = iter(requests)
    statuses: list[int] = []
    seconds: list[float] = []

    async def send() -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            connections: dict[int, _Connection] = {}
            for request in waiting:
                connection = connections.get(request.port)
                if connection is None:
                    connection = connections[request.port] = await _Connection.to(request)
                sent_at = time.perf_counter()
                statuses.append(await connection.status(request.message))
                seconds.append(time.perf_counter() - sent_at)
            for connection in connections.values():
                connection.close()

    began_at = time.perf_counter()
    async with asyncio.TaskGroup() as senders:
        for _ in range(at_once):
            senders.create_task(send())
    return Knocked(statuses=statuses, seconds=seconds, took=time.perf_counter() - began_at)


def posting(url: str, customer: Customer, body: dict[str, object]) -> Request:
    """Return a request that posts JSON for a customer."""
    where = urlsplit(url)
    content = json.dumps(body).encode()
    headers = {
        "Host": where.netloc,
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        **customer.headers,
    }
    lines = [f"POST {where.path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    head = "\r\n".join([*lines, "", ""]).encode()
    return Request(where.hostname or "", where.port or 80, head + content)


class _Connection:
    """A kept connection that one request at a time is written to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, request: Request) -> "_Connection":
        return cls(*await asyncio.open_connection(request.host, request.port))

    async def status(self, message: bytes) -> int:
        """Write a request, read its answer to the end, and return its status."""
        self._writer.write(message)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
        await self._reader.readexactly(int(length))
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        self._writer.close()
