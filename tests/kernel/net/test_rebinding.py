"""A name that changes its mind: only what was judged is connected to."""

from itertools import cycle, islice

import pytest

from medici.kernel.net.addresses import is_public
from medici.kernel.net.client import Limits, OutgoingClient
from medici.kernel.net.errors import ConnectFailed, UnsafeUrl
from tests.kernel.net.names import Names
from tests.kernel.net.recorder import connections

LIMITS = Limits(seconds=10, max_bytes=1000)
URL = "https://evil.example/"
PUBLIC, PUBLIC_6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
HUNDRED = [f"93.184.{n}.{n}" for n in range(100)]


async def asked(client: OutgoingClient) -> None:
    with pytest.raises((UnsafeUrl, ConnectFailed)):
        await client.request("GET", URL, limits=LIMITS)


class TestRebinding:
    @pytest.mark.parametrize("private", ["127.0.0.1", "::1", "169.254.169.254", "fd00::1"])
    async def test_at_every_look_never_leads_inside(self, private: str) -> None:
        answers = list(islice(cycle([[PUBLIC], [private], [PUBLIC_6], [PUBLIC, private]]), 20))
        names = Names(evil_example=answers)
        with connections() as peers:
            for _ in answers:
                async with OutgoingClient(lookup=names) as client:
                    await asked(client)

        assert len(names.asked) == 20  # each time once: nothing looks the name up behind the guard
        assert sorted(set(peers)) == [(PUBLIC_6, 443), (PUBLIC, 443)]

    async def test_within_one_client_never_leads_inside(self) -> None:
        names = Names(evil_example=[[PUBLIC], ["10.0.0.1"]])
        with connections() as peers:
            async with OutgoingClient(lookup=names) as client:
                for _ in range(5):
                    await asked(client)

        assert {host for host, _ in peers} == {PUBLIC}

    async def test_takes_a_hundred_public_addresses(self) -> None:
        with connections() as peers:
            async with OutgoingClient(lookup=Names(evil_example=[HUNDRED])) as client:
                await asked(client)

        assert {host for host, _ in peers} == set(HUNDRED)
        assert all(is_public(host) for host, _ in peers)

    @pytest.mark.parametrize("at", [0, 50, 100])
    async def test_refuses_a_hundred_for_one_private_among_them(self, at: int) -> None:
        answer = [*HUNDRED[:at], "192.168.0.1", *HUNDRED[at:]]
        with connections() as peers:
            async with OutgoingClient(lookup=Names(evil_example=[answer])) as client:
                await asked(client)

        assert peers == []
