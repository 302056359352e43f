"""The outgoing client: whole answers, and the truth about what was sent."""

import asyncio

import aiohttp
import pytest

from medici.kernel.net.client import Limits, OutgoingClient
from medici.kernel.net.errors import (
    BadResponse,
    ConnectFailed,
    ConnectionLost,
    TooManyRedirects,
)
from tests.kernel.net.asking import ask, client_of
from tests.kernel.net.names import Names
from tests.kernel.net.sites import (
    Answer,
    Request,
    Site,
    hangs_up,
    says,
    sends_to,
    site,
)

LIMITS = Limits(seconds=5, max_bytes=100)
SECRETS = {
    "Authorization": "Bearer s3cret",
    "X-Key": "s3cret",
    "X-Goog-Api-Key": "s3cret",
    "Cookie": "session=s3cret",
    "X-Anything": "s3cret",
}


class TestRequest:
    async def test_sends_what_it_is_given_and_returns_the_whole_answer(self) -> None:
        teapot = says("418 I'm a teapot", b"short", x_spout="left")
        async with site(teapot) as here, client_of(here) as client:
            answer = await client.request(
                "post",
                f"{here.url}/tea?with=milk%2D",
                headers={"Authorization": "Key 1"},
                json={"cups": 2},
                limits=LIMITS,
            )

        assert (answer.status, answer.body, answer.headers["X-Spout"]) == (418, b"short", "left")
        (request,) = here.requests
        assert (request.method, request.target) == ("POST", "/tea?with=milk%2D")
        assert (request.body, request.headers["content-type"]) == (
            b'{"cups":2}',
            "application/json",
        )
        assert request.headers["authorization"] == "Key 1"

    async def test_sends_forms_with_files(self) -> None:
        form = aiohttp.FormData()
        form.add_field("image", b"\x89PNG", filename="a.png", content_type="image/png")

        async with site(says("200 OK")) as here, client_of(here) as client:
            await client.request("POST", here.url, body=form, limits=LIMITS)

        (request,) = here.requests
        assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert b"\x89PNG" in request.body

    async def test_keeps_no_cookies(self) -> None:
        async with site(says("200 OK", set_cookie="a=b")) as here, client_of(here) as client:
            for _ in range(2):
                await client.request("GET", here.url, limits=LIMITS)

        assert ["cookie" in request.headers for request in here.requests] == [False, False]


class TestRedirects:
    async def test_are_followed_with_everything_at_home(self) -> None:
        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            reply = says("200 OK", b"here") if request.target == "/b" else sends_to("/b")
            await reply(request, writer)

        async with site(answer) as here, client_of(here) as client:
            reply = await client.request("GET", here.url, headers=SECRETS, limits=LIMITS)

        assert (reply.body, reply.url) == (b"here", f"{here.url}/b")
        assert here.requests[1].headers["authorization"] == "Bearer s3cret"

    @pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
    async def test_take_no_credentials_to_strangers(self, status: str) -> None:
        async with (
            site(says("200 OK", b"there")) as stranger,
            site(sends_to(stranger.url, status)) as here,
            client_of(here, stranger) as client,
        ):
            reply = await client.request(
                "GET",
                here.url,
                headers={**SECRETS, "Accept": "image/*"},
                limits=LIMITS,
            )

        assert reply.body == b"there"
        (request,) = stranger.requests
        assert request.headers["accept"] == "image/*"
        assert "s3cret" not in str(request.headers)

    async def test_give_no_credentials_back_on_the_way_home(self) -> None:
        async with (
            site(hangs_up) as here,
            site(sends_to(f"{here.url}/again")) as stranger,
            site(sends_to(stranger.url)) as start,
            client_of(here, stranger, start) as client,
        ):
            with pytest.raises(ConnectionLost):
                await client.request("GET", start.url, headers=SECRETS, limits=LIMITS)

        assert "s3cret" not in str(here.requests)

    @pytest.mark.parametrize("redirects", [0, 1, 3])
    async def test_end(self, redirects: int) -> None:
        async with site(sends_to("/round")) as here, client_of(here) as client:
            asking = client.request("GET", here.url, redirects=redirects, limits=LIMITS)
            if redirects == 0:
                assert (await asking).status == 302
            else:
                with pytest.raises(TooManyRedirects):
                    await asking

        assert len(here.requests) == redirects + 1

    async def test_never_send_a_body_again(self) -> None:
        async with site(sends_to("/other", "307 Again")) as here:
            answer = await ask(here, "POST")

        assert (answer.status, len(here.requests)) == (307, 1)


class TestFailure:
    @pytest.fixture
    async def closed(self) -> Site:
        async with site(hangs_up) as here:
            pass
        return here

    async def test_says_that_nothing_was_sent(self, closed: Site) -> None:
        with pytest.raises(ConnectFailed) as failed:
            await ask(closed, "POST")

        assert not failed.value.sent

    async def test_says_that_something_may_have_been_sent(self) -> None:
        async with site(hangs_up) as here:
            with pytest.raises(ConnectionLost) as failed:
                await ask(here, "POST")

        assert failed.value.sent
        assert len(here.requests) == 1  # never sent a second time

    async def test_takes_an_unknown_name_for_no_connection(self) -> None:
        async with OutgoingClient(lookup=Names()) as client:
            with pytest.raises(ConnectFailed):
                await client.request("GET", "https://unknown.example/", limits=LIMITS)

    @pytest.mark.parametrize(
        "answer",
        [
            says("200 OK", b"short", content_length="100"),
            says("200 OK", b"zz\r\n", transfer_encoding="chunked"),
        ],
        ids=["cut short", "broken chunks"],
    )
    async def test_takes_half_an_answer_for_none(self, answer: Answer) -> None:
        async with site(answer) as here:
            with pytest.raises((ConnectionLost, BadResponse)):
                await ask(here)

    async def test_takes_what_is_no_http_for_none(self) -> None:
        async def nonsense(_request: Request, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

        async with site(nonsense) as here:
            with pytest.raises(BadResponse):
                await ask(here)
