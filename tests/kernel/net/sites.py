"""Servers on loopback that answer exactly what a test tells them to, well or badly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

Answer: TypeAlias = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived: the request line's target, and the headers by lower-case name."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Site:
    """A server, and everything that it was asked."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}"


@asynccontextmanager
async def site(answer: Answer) -> AsyncIterator[Site]:
    """Run a server that reads one request per connection and lets ``answer`` do the rest."""
    here = Site()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            here.requests.append(request := await _read(reader))
            await answer(request, writer)
        finally:
            writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1")
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
        for task in serving:
            task.cancel()
        # Whatever a client does to a connection is the client's affair.
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # lets the transports close


def says(status: str, body: bytes = b"", **headers: str) -> Answer:
    """Answer with these bytes; ``content_type=`` stands for ``Content-Type``."""

    async def answer(_request: Request, writer: asyncio.StreamWriter) -> None:
        fields = {"content_length": str(len(body)), "connection": "close", **headers}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        writer.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)
        await writer.drain()

    return answer


def sends_to(location: str, status: str = "302 Found") -> Answer:
    return says(status, location=location)


def trickles(head: str, piece: bytes, *, every_seconds: float) -> Answer:
    """Answer with a head, then with one piece after the other, without end."""

    async def answer(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {head}\r\n\r\n".encode())
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every_seconds)

    return answer


async def hangs_up(_request: Request, _writer: asyncio.StreamWriter) -> None:
    """Read the request and close."""


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {n.lower(): value for n, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body)
