"""The guard inside the connector: judges what a name resolves to, and each socket once more."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Protocol

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from medici.kernel.net.addresses import is_public
from medici.kernel.net.errors import Reason, UnsafeUrl
from medici.kernel.net.hosts import host_and_port

LOOKUP_SECONDS = 5.0


class Lookup(Protocol):
    """Finds the addresses of a name; raises ``OSError`` where there are none."""

    async def __call__(self, host: str, port: int) -> Sequence[str]: ...


class BlockedPeer(OSError):
    """A socket to an address that is not public was asked for."""


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """Ask the resolver of this machine for every address of a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class AddressGuard(AbstractResolver):
    """Resolver and socket factory of the one connector, so that nothing connects around it."""

    def __init__(self, lookup: Lookup, allow: frozenset[str]) -> None:
        self._lookup = lookup
        self._allow = allow
        self._vouched: dict[str, frozenset[str]] = {}  # addresses of the allow list's names

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return every address of a name, all of them public or vouched for.

        Raises:
            UnsafeUrl: one of them is not public; a mixed answer is an attempt.
            OSError: the name has no address, or none in time.
        """
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = list(dict.fromkeys(await self._lookup(host, port)))
        if not found:
            raise OSError(f"{host} has no address")
        if (name := host_and_port(host, port)) in self._allow:
            self._vouched[name] = frozenset(host_and_port(address, port) for address in found)
        elif not all(map(is_public, found)):
            raise UnsafeUrl(Reason.NON_PUBLIC_TARGET)
        return found

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve for the connector; raises as ``addresses`` does."""
        return [_resolved(host, address, port) for address in await self.addresses(host, port)]

    def open_socket(self, peer: AddrInfoType) -> socket.socket:
        """Make the socket that will be connected to exactly this peer.

        Raises:
            BlockedPeer: neither public nor vouched for. Nothing should come this far.
        """
        family, kind, protocol, _, (address, port, *_) = peer
        if not is_public(str(address)) and not self._vouches_for(str(address), port):
            raise BlockedPeer(f"{address} is not public")
        return socket.socket(family=family, type=kind, proto=protocol)

    async def close(self) -> None:
        """Nothing is held open."""

    def _vouches_for(self, address: str, port: int) -> bool:
        peer = host_and_port(address, port)
        return peer in self._allow or any(peer in known for known in self._vouched.values())


def _resolved(host: str, address: str, port: int) -> ResolveResult:
    return {
        "hostname": host,
        "host": address,
        "port": port,
        "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
        "proto": socket.IPPROTO_TCP,
        "flags": socket.AI_NUMERICHOST,
    }
