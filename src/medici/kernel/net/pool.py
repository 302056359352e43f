"""The connections behind one allow list."""

from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp

from medici.kernel.net.guard import AddressGuard, Lookup


@dataclass(frozen=True, slots=True)
class Pool:
    """Guarded connections, shared by nobody who trusts another list.

    A connection once made is used again without asking the guard, and so is an address once looked
    up; that is why each allow list needs a pool to itself.
    """

    allow: frozenset[str]
    guard: AddressGuard
    session: aiohttp.ClientSession

    @classmethod
    def open(cls, allow: frozenset[str], *, lookup: Lookup, connections: int) -> "Pool":
        """Open a pool inside the running event loop."""
        guard = AddressGuard(lookup, allow)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=guard, socket_factory=guard.open_socket, limit=connections
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            trace_configs=[_watch_sending()],
        )
        return cls(allow, guard, session)


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
