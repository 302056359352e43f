"""The guard, judged where it counts: at the sockets that are really connected."""

import socket

import pytest

from medici.kernel.net.client import Limits, OutgoingClient
from medici.kernel.net.errors import ConnectFailed, Reason, UnsafeUrl
from medici.kernel.net.guard import AddressGuard, BlockedPeer
from tests.attacks.addresses import TRICKY_URLS, private_hosts, private_ipv4, private_ipv6
from tests.kernel.net.names import Names
from tests.kernel.net.recorder import connections
from tests.kernel.net.sites import says, site

LIMITS = Limits(seconds=5, max_bytes=1000)
PUBLIC = "93.184.215.14"


async def refusal(client: OutgoingClient, url: str) -> Reason:
    with pytest.raises(UnsafeUrl) as refused:
        await client.request("GET", url, limits=LIMITS)
    return refused.value.reason


class TestRequest:
    async def test_never_connects_to_a_private_literal(self) -> None:
        with connections() as peers:
            async with OutgoingClient(lookup=Names()) as client:
                for host in private_hosts():
                    await refusal(client, f"https://{host}/")
                for url in TRICKY_URLS:
                    await refusal(client, url)

        assert peers == []

    async def test_never_connects_to_a_private_answer_of_the_name_service(self) -> None:
        private = [str(address) for address in (*private_ipv4(), *private_ipv6())]
        names = Names(evil_example=[[address] for address in private])
        with connections() as peers:
            async with OutgoingClient(lookup=names) as client:
                for _ in private:
                    assert await refusal(client, "https://evil.example/") == (
                        Reason.NON_PUBLIC_TARGET
                    )

        assert peers == []

    @pytest.mark.parametrize(
        "answer", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC] * 99 + ["::1"]]
    )
    async def test_refuses_a_mixed_answer(self, answer: list[str]) -> None:
        with connections() as peers:
            async with OutgoingClient(lookup=Names(evil_example=[answer])) as client:
                assert await refusal(client, "https://evil.example/") == Reason.NON_PUBLIC_TARGET

        assert peers == []

    async def test_refuses_a_name_that_turns_private_after_it_was_judged(self) -> None:
        names = Names(evil_example=[[PUBLIC], ["127.0.0.1"]])
        with connections() as peers:
            async with OutgoingClient(lookup=names) as client:
                await client.resolve_public("https://evil.example/")
                assert await refusal(client, "https://evil.example/") == Reason.NON_PUBLIC_TARGET

        assert peers == []

    async def test_connects_to_the_address_that_it_judged(self) -> None:
        names = Names(good_example=[[PUBLIC], ["127.0.0.1"]])
        with connections() as peers:
            async with OutgoingClient(lookup=names) as client:
                with pytest.raises(ConnectFailed):
                    await client.request("GET", "https://good.example/", limits=LIMITS)

        assert peers == [(PUBLIC, 443)]
        assert names.asked == ["good.example"]

    async def test_reaches_a_name_that_the_operator_vouches_for(self) -> None:
        async with site(says("200 OK", b"picture")) as here:
            names = Names(renderer=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
            allow = frozenset({f"renderer:{here.port}"})
            async with OutgoingClient(lookup=names, allow=allow) as client:
                answer = await client.request(
                    "GET", f"http://renderer:{here.port}/a", limits=LIMITS
                )
                assert await refusal(client, f"http://other.example:{here.port}/") == (
                    Reason.INVALID_SCHEME
                )
                assert await refusal(client, f"http://{here.place}/") == Reason.NON_PUBLIC_TARGET

        assert answer.body == b"picture"
        assert len(here.requests) == 1

    async def test_uses_no_proxy_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with site(says("200 OK")) as proxy, site(says("200 OK", b"direct")) as here:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            async with OutgoingClient(allow=frozenset({here.place, proxy.place})) as client:
                answer = await client.request("GET", here.url, limits=LIMITS)

        assert (answer.body, proxy.requests) == (b"direct", [])

    async def test_uses_no_proxy_for_https_either(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with site(says("200 OK")) as proxy:
            for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            with connections() as peers:
                async with OutgoingClient(
                    lookup=Names(good_example=[[PUBLIC]]), allow=frozenset({proxy.place})
                ) as client:
                    with pytest.raises(ConnectFailed):
                        await client.request("GET", "https://good.example/", limits=LIMITS)

        assert peers == [(PUBLIC, 443)]


class TestResolvePublic:
    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("https://unknown.example/", Reason.DNS_RESOLUTION_FAILED),
            ("https://empty.example/", Reason.DNS_RESOLUTION_FAILED),
            ("https://inside.example/", Reason.NON_PUBLIC_TARGET),
            ("https://localhost/", Reason.BLOCKED_HOST),
        ],
    )
    async def test_says_why(self, url: str, reason: Reason) -> None:
        names = Names(inside_example=[["192.168.1.1"]], empty_example=[[]])
        async with OutgoingClient(lookup=names) as client:
            with pytest.raises(UnsafeUrl) as refused:
                await client.resolve_public(url)

        assert refused.value.reason == reason

    async def test_waits_no_longer_than_told(self) -> None:
        async with OutgoingClient(lookup=Names(slow_example=[[PUBLIC]], delay=60)) as client:
            with pytest.raises(UnsafeUrl) as refused:
                await client.resolve_public("https://slow.example/", seconds=0.01)

        assert refused.value.reason == Reason.DNS_RESOLUTION_FAILED

    async def test_returns_where_a_good_one_leads(self) -> None:
        async with OutgoingClient(lookup=Names(good_example=[[PUBLIC]])) as client:
            target = await client.resolve_public("https://good.example/a")

        assert (target.host, target.port) == ("good.example", 443)


class TestOpenSocket:
    def test_is_the_last_to_refuse(self) -> None:
        guard = AddressGuard(Names(), frozenset({"10.0.0.1:9000"}))

        with pytest.raises(BlockedPeer):
            guard.open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.1", 9001)))
        guard.open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.1", 9000))).close()
