"""The outgoing HTTP client: guarded, bounded in time and size, and clear about what was sent."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp
import orjson
from multidict import CIMultiDict, CIMultiDictProxy

from medici.kernel.net.body import read_body
from medici.kernel.net.errors import (
    BadResponse,
    ConnectFailed,
    ConnectionLost,
    Reason,
    RequestTimedOut,
    TooManyRedirects,
    UnsafeUrl,
)
from medici.kernel.net.guard import AddressGuard, BlockedPeer, Lookup, system_lookup
from medici.kernel.net.hosts import is_literal
from medici.kernel.net.urls import Target, check_url, follow

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 3
# What may follow a redirect to another origin. Every other header might be a credential.
HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "range", "user-agent"})
DEFAULT_HEADERS = {"Accept-Encoding": "gzip", "User-Agent": "medici"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one exchange may take.

    ``seconds`` for all of it with its redirects, ``connect_seconds`` for each connection with its
    TLS, ``max_bytes`` for the body as sent and as unpacked.
    """

    seconds: float
    max_bytes: int
    connect_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A complete answer; ``url`` is where it came from in the end. Header names ignore case."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    url: str


@dataclass(slots=True)
class _Exchange:
    """One request on its way; ``sent`` once a connection was there to send on."""

    method: str
    headers: CIMultiDict[str]
    body: bytes | aiohttp.FormData | None
    limits: Limits
    sent: bool = False


class OutgoingClient:
    """One pool of connections for all calls of the process. Make it inside the event loop."""

    def __init__(
        self,
        *,
        allow: frozenset[str] = frozenset(),
        lookup: Lookup = system_lookup,
        connections: int = 512,
    ) -> None:
        """Open the pool; ``allow`` holds ``host:port`` of endpoints that may be private or http."""
        self._allow = allow
        self._guard = AddressGuard(lookup, allow)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._guard, socket_factory=self._guard.open_socket, limit=connections
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            trace_configs=[_watch_sending()],
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        limits: Limits,
        headers: Mapping[str, str] | None = None,
        body: bytes | aiohttp.FormData | None = None,
        json: object = None,
        redirects: int = MOST_REDIRECTS,
    ) -> Response:
        """Ask another machine and return its whole answer, whatever its status.

        Args:
            method: only GET and HEAD follow redirects; others return them.
            url: judged by ``check_url`` first, like each redirect.
            headers: credentials among them never reach another origin.
            json: sent as JSON in place of ``body``.
            redirects: how many are followed; with 0 they are returned.

        Raises:
            UnsafeUrl: the URL or a redirect leads where it must not.
            RequestFailed: no answer; one of its kinds, ``sent`` tells what may have happened.
        """
        exchange = _Exchange(
            method=method.upper(),
            headers=CIMultiDict({**DEFAULT_HEADERS, **(headers or {})}),
            body=body,
            limits=limits,
        )
        if json is not None:
            exchange.body = orjson.dumps(json)
            exchange.headers.setdefault("Content-Type", "application/json")
        if exchange.method not in {"GET", "HEAD"}:
            redirects = 0
        return await self._carry_out(exchange, check_url(url, self._allow), redirects)

    async def resolve_public(self, url: str, *, seconds: float = 1.0) -> Target:
        """Judge a URL and what its name resolves to right now, without connecting.

        Raises:
            UnsafeUrl: with the reason, of which a name not resolved in ``seconds`` is one.
        """
        target = check_url(url, self._allow)
        if is_literal(target.host):
            return target
        try:
            async with asyncio.timeout(seconds):
                await self._guard.addresses(target.host, target.port)
        except OSError as error:  # a TimeoutError is one
            raise UnsafeUrl(Reason.DNS_RESOLUTION_FAILED) from error
        return target

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _carry_out(self, exchange: _Exchange, target: Target, redirects: int) -> Response:
        try:
            async with asyncio.timeout(exchange.limits.seconds):
                return await self._follow(exchange, target, redirects)
        except TimeoutError as error:
            raise RequestTimedOut(sent=exchange.sent) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, BlockedPeer):
                raise UnsafeUrl(Reason.NON_PUBLIC_TARGET) from error
            raise ConnectFailed from error
        except aiohttp.ClientResponseError as error:
            raise BadResponse("the answer is no HTTP that we take") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionLost(sent=exchange.sent) from error

    async def _follow(self, exchange: _Exchange, target: Target, redirects: int) -> Response:
        for _ in range(redirects + 1):
            answer = await self._send(exchange, target, read_redirects=redirects == 0)
            if isinstance(answer, Response):
                return answer
            following = follow(target, answer, self._allow)
            if following.origin != target.origin:
                exchange.headers = _harmless(exchange.headers)
            target = following
        raise TooManyRedirects

    async def _send(
        self, exchange: _Exchange, target: Target, *, read_redirects: bool
    ) -> Response | str:
        """Send once; return the answer, or the location that it points to."""
        async with self._session.request(
            exchange.method,
            target.url,
            headers=exchange.headers,
            data=exchange.body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(sock_connect=exchange.limits.connect_seconds),
            trace_request_ctx=exchange,
        ) as response:
            location = response.headers.get("Location")
            if location and response.status in REDIRECTS and not read_redirects:
                return location
            return Response(
                status=response.status,
                headers=response.headers,
                body=await read_body(response, exchange.limits.max_bytes),
                url=str(target.url),
            )


def _harmless(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    return CIMultiDict({name: v for name, v in headers.items() if name.lower() in HARMLESS})


def _watch_sending() -> aiohttp.TraceConfig:
    """Note the moment from which on the other side may have heard us."""

    async def connected(
        _session: aiohttp.ClientSession, context: SimpleNamespace, _event: object
    ) -> None:
        context.trace_request_ctx.sent = True

    watch = aiohttp.TraceConfig()
    watch.on_connection_create_end.append(connected)
    watch.on_connection_reuseconn.append(connected)
    return watch
