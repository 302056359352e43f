"""The outgoing HTTP client: guarded, bounded in time and size, and clear about what was sent."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import Self

import aiohttp
import orjson
from multidict import CIMultiDict, CIMultiDictProxy

from medici.kernel.net.body import read_body
from medici.kernel.net.errors import (
    BadResponse,
    ConnectFailed,
    ConnectionLost,
    MisdirectedSecret,
    Reason,
    RequestTimedOut,
    TooManyRedirects,
    UnsafeUrl,
)
from medici.kernel.net.guard import BlockedPeer, Lookup, system_lookup
from medici.kernel.net.hosts import is_literal
from medici.kernel.net.pool import Pool
from medici.kernel.net.trust import Credentials, Trust
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


@dataclass(slots=True, repr=False)
class _Exchange:
    """One request on its way; ``sent`` once a connection was there to send on."""

    pool: Pool
    method: str
    headers: CIMultiDict[str]
    body: bytes | aiohttp.FormData | None
    limits: Limits
    sent: bool = False


class OutgoingClient:
    """The pools of connections for all calls of the process. Make it inside the event loop."""

    def __init__(
        self,
        *,
        allow: frozenset[str] = frozenset(),
        allow_foreign: frozenset[str] = frozenset(),
        lookup: Lookup = system_lookup,
        connections: int = 512,
    ) -> None:
        """Open the pools.

        Args:
            allow: ``host:port`` of endpoints that may be private or speak http, if the operator or
                a provider names them.
            allow_foreign: the same for addresses that come from anybody.
            lookup: finds the addresses of a name.
            connections: at most so many at once in each pool.
        """
        allowed = {Trust.OPERATOR: allow, Trust.FOREIGN: allow_foreign}
        self._pools = {
            trust: Pool.open(names, lookup=lookup, connections=connections)
            for trust, names in allowed.items()
        }

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
        trust: Trust = Trust.OPERATOR,
        credentials: Credentials | None = None,
    ) -> Response:
        """Ask another machine and return its whole answer, whatever its status.

        Args:
            method: only GET and HEAD follow redirects; others return them.
            url: judged by ``check_url`` first, like each redirect.
            headers: only harmless ones follow a redirect to another origin.
            json: sent as JSON in place of ``body``.
            redirects: how many are followed; with 0 they are returned.
            trust: who named the URL.
            credentials: headers for the origin of ``url``, which never reach another one.

        Raises:
            MisdirectedSecret: the credentials are for another origin than the URL's.
            UnsafeUrl: the URL or a redirect leads where it must not.
            RequestFailed: no answer; one of its kinds, ``sent`` tells what may have happened.
        """
        pool = self._pools[trust]
        target = check_url(url, pool.allow)
        exchange = _Exchange(
            pool=pool,
            method=method.upper(),
            headers=CIMultiDict({**DEFAULT_HEADERS, **(headers or {})}),
            body=body,
            limits=limits,
        )
        if json is not None:
            exchange.body = orjson.dumps(json)
            exchange.headers.setdefault("Content-Type", "application/json")
        if credentials is not None:
            exchange.headers.update(_secrets_for(target, credentials, pool.allow))
        if exchange.method not in {"GET", "HEAD"}:
            redirects = 0
        return await _carry_out(exchange, target, redirects)

    async def resolve_public(self, url: str, *, seconds: float = 1.0) -> Target:
        """Judge anybody's URL and what its name resolves to right now, without connecting.

        Raises:
            UnsafeUrl: with the reason, of which a name not resolved in ``seconds`` is one.
        """
        pool = self._pools[Trust.FOREIGN]
        target = check_url(url, pool.allow)
        if is_literal(target.host):
            return target
        try:
            async with asyncio.timeout(seconds):
                await pool.guard.addresses(target.host, target.port)
        except OSError as error:  # a TimeoutError is one
            raise UnsafeUrl(Reason.DNS_RESOLUTION_FAILED) from error
        return target

    async def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


async def _carry_out(exchange: _Exchange, target: Target, redirects: int) -> Response:
    try:
        async with asyncio.timeout(exchange.limits.seconds):
            return await _follow(exchange, target, redirects)
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


async def _follow(exchange: _Exchange, target: Target, redirects: int) -> Response:
    for _ in range(redirects + 1):
        answer = await _send(exchange, target, read_redirects=redirects == 0)
        if isinstance(answer, Response):
            return answer
        following = follow(target, answer, exchange.pool.allow)
        if following.origin != target.origin:
            exchange.headers = _harmless(exchange.headers)
        target = following
    raise TooManyRedirects


async def _send(exchange: _Exchange, target: Target, *, read_redirects: bool) -> Response | str:
    """Send once; return the answer, or the location that it points to."""
    async with exchange.pool.session.request(
        exchange.method,
        target.url,
        headers=exchange.headers,
        data=_in_pieces(exchange.body),
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


def _secrets_for(
    target: Target, credentials: Credentials, allow: frozenset[str]
) -> Mapping[str, str]:
    if check_url(credentials.only_to, allow).origin != target.origin:
        raise MisdirectedSecret(target.host)
    return credentials.headers


def _harmless(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    return CIMultiDict({name: v for name, v in headers.items() if name.lower() in HARMLESS})


def _in_pieces(body: bytes | aiohttp.FormData | None) -> BytesIO | aiohttp.FormData | None:
    """Have a large body written piece by piece, so that it does not hold up the loop."""
    return BytesIO(body) if isinstance(body, bytes) else body
