"""No redirect leads inside, in whatever form it is written; judged at the sockets."""

import asyncio
from contextlib import suppress

import pytest

from medici.kernel.net.client import Limits, OutgoingClient
from medici.kernel.net.errors import RequestFailed, UnsafeUrl
from tests.attacks.addresses import TRICKY_URLS, private_hosts, private_ipv4, private_ipv6
from tests.kernel.net.names import Names
from tests.kernel.net.recorder import connections
from tests.kernel.net.sites import Request, says, sends_to, site

LIMITS = Limits(seconds=5, max_bytes=1000)
STATUSES = ["301 A", "302 B", "303 C", "307 D", "308 E"]
ABSOLUTE = [f"{scheme}://{host}/" for host in private_hosts() for scheme in ("https", "http")]
SCHEME_RELATIVE = [f"//{host}/" for host in private_hosts()]
# These stay at home or are refused, depending on who reads them.
RELATIVE = ["/\\127.0.0.1/", "\\\\127.0.0.1\\", "///127.0.0.1/", "////127.0.0.1/", "/.//127.0.0.1/"]
RELATIVE += ["127.0.0.1", "@127.0.0.1/", ":443@127.0.0.1/", "?//127.0.0.1/", "..//127.0.0.1/"]
UNPRINTED = ("\r", "\n", "\ud800")  # cannot stand in a header
TRICKY = [url for url in TRICKY_URLS if not any(sign in url for sign in UNPRINTED)]


async def outcomes(locations: list[str], status: str, names: Names) -> list[str]:
    """Follow a redirect to each location; return the locations that were not refused."""
    taken = []

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        number = request.target.lstrip("/")
        start = number.isdigit()
        reply = sends_to(locations[int(number)], status) if start else says("404 Not here")
        await reply(request, writer)

    async with site(answer) as here:
        with connections() as peers:
            async with OutgoingClient(lookup=names, allow=frozenset({here.place})) as client:
                for number, location in enumerate(locations):
                    with suppress(UnsafeUrl, RequestFailed):
                        await client.request("GET", f"{here.url}/{number}", limits=LIMITS)
                        taken.append(location)

        assert set(peers) == {("127.0.0.1", here.port)}
    return taken


@pytest.mark.parametrize("status", STATUSES)
class TestRedirect:
    async def test_to_a_private_literal_is_never_followed(self, status: str) -> None:
        assert await outcomes([*ABSOLUTE, *SCHEME_RELATIVE], status, Names()) == []

    async def test_to_a_name_with_a_private_address_is_never_followed(self, status: str) -> None:
        private = [str(address) for address in (*private_ipv4(), *private_ipv6())]
        names = Names(evil_example=[[address] for address in private])
        forms = ("https://evil.example/", "//evil.example/", "https://EVIL.example./")

        assert await outcomes([*forms * len(private)], status, names) == []
        assert len(names.asked) == 2 * len(private)  # http, which // means here, goes no further

    async def test_that_parsers_disagree_on_stays_at_home(self, status: str) -> None:
        await outcomes([*RELATIVE, *TRICKY], status, Names())
