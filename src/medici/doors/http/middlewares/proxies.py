"""Who is really calling, when a proxy of ours stands in between."""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

Networks = tuple[IPv4Network | IPv6Network, ...]
SCHEMES = ("http", "https")


class Proxies:
    """Believe ``X-Forwarded-*`` from the named proxies, and from nobody else.

    ``trusted`` are addresses or networks, such as ``10.0.0.0/8``.
    """

    def __init__(self, app: ASGIApp, *, trusted: Sequence[str]) -> None:
        self.app = app
        self.trusted: Networks = tuple(ip_network(each, strict=False) for each in trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        requested = self.trusted and scope["type"] in ("http", "websocket")
        if requested and self._trusts(_peer(scope)):
            self._believe(scope)
        await self.app(scope, receive, send)

    def _believe(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        client = self._client(_hops(headers, "x-forwarded-for"))
        if client is not None:
            scope["client"] = (client, 0)
        scheme = _nearest(headers, "x-forwarded-proto")
        if scheme in SCHEMES:
            scope["scheme"] = scheme
        host = _nearest(headers, "x-forwarded-host")
        if host:
            MutableHeaders(scope=scope)["host"] = host

    def _client(self, hops: Sequence[str]) -> str | None:
        """Walk back from ourselves to the first hop that is none of our proxies."""
        for hop in reversed(hops):
            if _address(hop) is None:
                return None
            if not self._trusts(hop):
                return hop
        return None

    def _trusts(self, peer: str) -> bool:
        address = _address(peer)
        return address is not None and any(address in network for network in self.trusted)


def client_address(scope: Scope) -> str:
    """Return who calls, for limits: an IPv4 address, or the /64 that an IPv6 client roams in."""
    peer = _peer(scope)
    address = _address(peer)
    if address is None:
        return peer or "unknown"
    if address.version == 4:
        return str(address)
    return str(ip_network((int(address), 64), strict=False))


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _hops(headers: Headers, name: str) -> list[str]:
    # Several headers of one name are one list; each proxy writes behind what it was given.
    return [hop.strip() for line in headers.getlist(name) for hop in line.split(",")]


def _nearest(headers: Headers, name: str) -> str:
    hops = _hops(headers, name)
    return hops[-1] if hops else ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
