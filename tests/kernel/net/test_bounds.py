"""Bounds of an answer: whatever the other side does, it ends soon and fits into little memory."""

import asyncio
import gzip
import time
import tracemalloc

import pytest

from medici.kernel.net.client import Limits, OutgoingClient
from medici.kernel.net.errors import BadResponse, RequestTimedOut, ResponseTooLarge
from tests.kernel.net.asking import KIB, MIB, ask, client_of
from tests.kernel.net.names import Names
from tests.kernel.net.sites import Request, hangs_up, says, site, trickles


class TestSize:
    @pytest.mark.parametrize("body", [b"", b"x", b"x" * 1000])
    async def test_up_to_the_limit_is_taken(self, body: bytes) -> None:
        async with site(says("200 OK", body)) as here:
            assert (await ask(here, max_bytes=1000)).body == body

    async def test_beyond_it_is_not(self) -> None:
        async with site(says("200 OK", b"x" * 1001)) as here:
            with pytest.raises(ResponseTooLarge):
                await ask(here, max_bytes=1000)

    async def test_stops_an_endless_body(self) -> None:
        endless = trickles("200 OK", b"x" * 64 * KIB, every_seconds=0)
        async with site(endless) as here:
            tracemalloc.start()
            with pytest.raises(ResponseTooLarge):
                await ask(here, max_bytes=16 * MIB)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()

        assert peak < 48 * MIB

    async def test_unpacks_gzip(self) -> None:
        packed = gzip.compress(b"picture" * 1000)
        async with site(says("200 OK", packed, content_encoding="gzip")) as here:
            assert (await ask(here)).body == b"picture" * 1000

        assert here.requests[0].headers["accept-encoding"] == "gzip"

    async def test_stops_a_bomb_before_it_goes_off(self) -> None:
        bomb = gzip.compress(bytes(200 * MIB), 9)
        assert len(bomb) < MIB
        async with site(says("200 OK", bomb, content_encoding="gzip")) as here:
            tracemalloc.start()
            with pytest.raises(ResponseTooLarge):
                await ask(here, max_bytes=16 * MIB)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()

        assert peak < 64 * MIB

    async def test_counts_what_unpacks_to_nothing(self) -> None:
        async def answer(_request: Request, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
            writer.write(gzip.compress(b"")[:10])  # gzip's header
            while True:
                writer.write(b"\x00\x00\x00\xff\xff" * 1000)  # stored blocks of nothing
                await writer.drain()

        async with site(answer) as here:
            with pytest.raises(ResponseTooLarge):
                await ask(here, max_bytes=100 * KIB)

    @pytest.mark.parametrize(
        ("body", "encoding"),
        [
            (b"not gzip", "gzip"),
            (gzip.compress(b"x" * 1000)[:-1], "gzip"),
            (gzip.compress(gzip.compress(b"x")), "gzip, gzip"),
            (b"x", "br"),
        ],
        ids=["broken", "cut short", "packed twice", "unknown"],
    )
    async def test_refuses_what_it_cannot_unpack(self, body: bytes, encoding: str) -> None:
        async with site(says("200 OK", body, content_encoding=encoding)) as here:
            with pytest.raises(BadResponse):
                await ask(here)

    @pytest.mark.parametrize(
        "bomb",
        [{"x_big": "x" * MIB}, {f"x_{n}": "x" * 4000 for n in range(250)}],
        ids=["one long header", "many headers"],
    )
    async def test_refuses_a_megabyte_of_headers(self, bomb: dict[str, str]) -> None:
        async with site(says("200 OK", b"", **bomb)) as here:
            with pytest.raises(BadResponse):
                await ask(here)


class TestTime:
    async def test_is_up_for_a_slow_body(self) -> None:
        slow = trickles("200 OK", b"x", every_seconds=0.01)
        began = time.perf_counter()
        async with site(slow) as here:
            with pytest.raises(RequestTimedOut) as late:
                await ask(here, seconds=0.2)

        assert late.value.sent
        assert time.perf_counter() - began < 5

    async def test_is_up_for_silence_after_the_request(self) -> None:
        async def silent(_request: Request, _writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(5)

        async with site(silent) as here:
            with pytest.raises(RequestTimedOut) as late:
                await ask(here, "POST", seconds=0.1)

        assert late.value.sent
        assert len(here.requests) == 1

    async def test_is_up_for_tls_that_never_comes(self) -> None:
        async with site(hangs_up) as here, client_of(here) as client:
            with pytest.raises(RequestTimedOut) as late:
                await client.request(
                    "POST",
                    f"https://{here.place}/",
                    limits=Limits(seconds=5, connect_seconds=0.1, max_bytes=1),
                )

        assert not late.value.sent

    async def test_is_up_for_a_name_service_that_hangs(self) -> None:
        lookup = Names(slow_example=[["93.184.215.14"]], delay=60)
        async with OutgoingClient(lookup=lookup) as client:
            with pytest.raises(RequestTimedOut) as late:
                await client.request(
                    "POST", "https://slow.example/", limits=Limits(seconds=0.1, max_bytes=1)
                )

        assert not late.value.sent


class TestHead:
    """What comes before a body: aiohttp bounds its size, the deadline its time."""

    async def test_may_not_trickle_for_ever(self) -> None:
        async def answer(_request: Request, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)

        async with site(answer) as here:
            with pytest.raises(RequestTimedOut):
                await ask(here, seconds=0.2)

    async def test_may_not_go_on_for_ever(self) -> None:
        async def answer(_request: Request, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                writer.write(b"X-More: and more\r\n" * 1000)
                await writer.drain()

        async with site(answer) as here:
            with pytest.raises(BadResponse):
                await ask(here)

    async def test_may_not_be_promised_for_ever(self) -> None:
        async def answer(_request: Request, writer: asyncio.StreamWriter) -> None:
            while True:
                writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.001)

        async with site(answer) as here:
            with pytest.raises(RequestTimedOut):
                await ask(here, seconds=0.2)

    async def test_of_a_redirect_is_all_that_is_read_of_it(self) -> None:
        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            if request.target == "/end":
                await says("200 OK", b"end")(request, writer)
                return
            await trickles("302 Found\r\nLocation: /end", b"x" * KIB, every_seconds=0)(
                request, writer
            )

        async with site(answer) as here:
            assert (await ask(here, max_bytes=100)).body == b"end"
