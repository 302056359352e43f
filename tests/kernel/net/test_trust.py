"""Who named an address decides what it may reach; who a secret is for, where it may go."""

import asyncio
from itertools import product

import pytest

from medici.kernel.net.client import Limits, OutgoingClient
from medici.kernel.net.errors import ConnectFailed, MisdirectedSecret, Reason, UnsafeUrl
from medici.kernel.net.trust import Credentials, Trust
from tests.kernel.net.asking import client_of
from tests.kernel.net.names import Names
from tests.kernel.net.recorder import connections
from tests.kernel.net.sites import Request, Site, says, sends_to, site

LIMITS = Limits(seconds=5, max_bytes=1000)
KEY = {"Authorization": "Key s3cret", "X-Key": "s3cret"}


async def refusal(client: OutgoingClient, url: str) -> Reason:
    with pytest.raises(UnsafeUrl) as refused:
        await client.request("GET", url, limits=LIMITS, trust=Trust.FOREIGN)
    return refused.value.reason


class TestForeign:
    async def test_reaches_nothing_that_the_operator_vouches_for(self) -> None:
        async with site(says("200 OK")) as here:
            with connections() as peers:
                async with client_of(here) as client:
                    assert await refusal(client, here.url) == Reason.NON_PUBLIC_TARGET
                    with pytest.raises(UnsafeUrl):
                        await client.resolve_public(here.url)

        assert peers == []

    async def test_gains_nothing_from_what_the_operator_just_did(self) -> None:
        url, inside = "https://renderer.example/", "10.0.0.5"
        names = Names(renderer_example=[[inside]])
        allow = frozenset({"renderer.example:443", "evil.example:443"})
        with connections() as peers:
            async with OutgoingClient(allow=allow, lookup=names) as client:
                with pytest.raises(ConnectFailed):  # the tests' own refusal, at the socket
                    await client.request("GET", url, limits=LIMITS)
                assert await refusal(client, url) == Reason.NON_PUBLIC_TARGET
                assert await refusal(client, f"https://{inside}/") == Reason.NON_PUBLIC_TARGET

        assert peers == [(inside, 443)]

    async def test_is_not_led_there_by_a_redirect(self) -> None:
        async with (
            site(says("200 OK")) as inside,
            site(sends_to(inside.url)) as here,
            OutgoingClient(
                allow=frozenset({inside.place}), allow_foreign=frozenset({here.place})
            ) as client,
        ):
            assert await refusal(client, here.url) == Reason.NON_PUBLIC_TARGET

        assert inside.requests == []

    async def test_reaches_what_the_operator_opens_to_everybody(self) -> None:
        async with (
            site(says("200 OK", b"photo")) as here,
            OutgoingClient(allow_foreign=frozenset({here.place})) as client,
        ):
            answer = await client.request("GET", here.url, limits=LIMITS, trust=Trust.FOREIGN)
            await client.resolve_public(here.url)

        assert answer.body == b"photo"


def seen_secrets(here: Site) -> list[bool]:
    return ["s3cret" in str(request.headers) for request in here.requests]


class TestCredentials:
    async def test_reach_their_origin_whatever_its_path(self) -> None:
        async with site(says("200 OK")) as vendor, client_of(vendor) as client:
            await client.request(
                "POST",
                f"{vendor.url}/v1/images",
                headers={"authorization": "none"},
                credentials=Credentials(only_to=f"{vendor.url}/v1", headers=KEY),
                limits=LIMITS,
            )

        (request,) = vendor.requests
        assert request.headers["authorization"] == "Key s3cret"
        assert request.headers["x-key"] == "s3cret"

    @pytest.mark.parametrize(
        "only_to",
        [
            "https://vendor.example",
            "https://api.vendor.example.evil.example",
            "https://api.vendor.example:8443",
            "https://vendor.example/api.vendor.example",
        ],
    )
    async def test_are_sent_nowhere_else(self, only_to: str) -> None:
        names = Names(api_vendor_example=[["93.184.215.14"]])
        allow = frozenset({"api.vendor.example:8443"})
        with connections() as peers:
            async with OutgoingClient(lookup=names, allow=allow) as client:
                with pytest.raises(MisdirectedSecret):
                    await client.request(
                        "POST",
                        "https://api.vendor.example/v1",
                        credentials=Credentials(only_to=only_to, headers=KEY),
                        limits=LIMITS,
                    )

        assert (peers, names.asked) == ([], [])

    async def test_are_not_sent_in_the_clear_to_a_host_that_has_them_by_https(self) -> None:
        async with site(says("200 OK")) as vendor, client_of(vendor) as client:
            with pytest.raises(MisdirectedSecret):
                await client.request(
                    "GET",
                    vendor.url,
                    credentials=Credentials(only_to=f"https://{vendor.place}", headers=KEY),
                    limits=LIMITS,
                )

        assert vendor.requests == []

    @pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
    async def test_reach_nobody_else_by_any_chain_of_redirects(self, status: str) -> None:
        places: list[Site] = []

        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            following, _, rest = request.target.lstrip("/").partition("/")
            if not following:
                await says("200 OK")(request, writer)
                return
            await sends_to(f"{places[int(following)].url}/{rest}", status)(request, writer)

        async with site(answer) as vendor, site(answer) as one, site(answer) as other:
            places += [vendor, one, other]
            async with client_of(*places) as client:
                for hops in product("012", repeat=3):
                    await client.request(
                        "GET",
                        f"{vendor.url}/{'/'.join(hops)}",
                        credentials=Credentials(only_to=vendor.url, headers=KEY),
                        limits=LIMITS,
                    )

        assert seen_secrets(vendor).count(True) >= 27
        assert {*seen_secrets(one), *seen_secrets(other)} == {False}

    def test_are_not_shown(self) -> None:
        assert "s3cret" not in repr(Credentials(only_to="https://vendor.example", headers=KEY))
