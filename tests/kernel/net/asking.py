"""Asking the sites of a test."""

from medici.kernel.net.client import Limits, OutgoingClient, Response
from tests.kernel.net.names import Names
from tests.kernel.net.sites import Site

KIB, MIB = 1024, 1024 * 1024


def client_of(*sites: Site) -> OutgoingClient:
    return OutgoingClient(allow=frozenset(here.place for here in sites), lookup=Names())


async def ask(
    here: Site, method: str = "GET", *, seconds: float = 10, max_bytes: int = MIB
) -> Response:
    async with client_of(here) as client:
        limits = Limits(seconds=seconds, max_bytes=max_bytes)
        return await client.request(method, here.url, limits=limits)
