"""What every request passes on its way."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from medici.doors.http.middlewares.proxies import Proxies, client_address
from tests.doors.conftest import OpenDoor
from tests.doors.support import BASE
from tests.support.databases import SqliteTemplate

HEALTH = "/health"
MEBIBYTE = 1024 * 1024


@pytest.fixture
def template(sqlite_template: SqliteTemplate) -> SqliteTemplate:
    """One database: which of them lies beneath makes no difference here."""
    return sqlite_template


class TestRequestIds:
    async def test_repeat_a_safe_id(self, client: httpx.AsyncClient) -> None:
        answer = await client.get(HEALTH, headers={"X-Request-Id": "order-7.retry_1"})

        assert answer.headers["X-Request-Id"] == "order-7.retry_1"

    @pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "a\x1b[31m", "{}", "a,b"])
    async def test_replace_an_unsafe_id(self, client: httpx.AsyncClient, sent: str) -> None:
        answer = await client.get(HEALTH, headers={"X-Request-Id": sent})

        assert answer.headers["X-Request-Id"] != sent
        assert len(answer.headers["X-Request-Id"]) == 36


class TestCors:
    @pytest.mark.parametrize("origin", ["https://app.example", "null", "https://evil.example"])
    async def test_open_to_all_never_with_credentials(
        self, open_door: OpenDoor, origin: str
    ) -> None:
        client = await open_door(allowed_origins=("*",))

        for answer in (
            await client.get(HEALTH, headers={"Origin": origin, "Cookie": "session=1"}),
            await client.options(HEALTH, headers=preflight(origin)),
        ):
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in answer.headers

    async def test_a_listed_origin_comes_with_credentials(self, open_door: OpenDoor) -> None:
        client = await open_door(allowed_origins=("https://app.example", "http://localhost:4173"))

        for answer in (
            await client.get(HEALTH, headers={"Origin": "http://localhost:4173"}),
            await client.options(HEALTH, headers=preflight("http://localhost:4173")),
        ):
            assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:4173"
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"
            assert "Origin" in answer.headers["Vary"]

    @pytest.mark.parametrize(
        "origin",
        [
            "null",
            "http://app.example",
            "https://app.example:8443",
            "https://app.example.evil.example",
            "https://evil-app.example",
            "https://sub.app.example",
            "https://APP.example",
            "https://app.example/",
            "*",
        ],
    )
    async def test_no_other_origin_is_let_in(self, open_door: OpenDoor, origin: str) -> None:
        client = await open_door(allowed_origins=("https://app.example",))

        simple = await client.get(HEALTH, headers={"Origin": origin})
        asked = await client.options(HEALTH, headers=preflight(origin))

        assert "Access-Control-Allow-Origin" not in simple.headers
        assert "Access-Control-Allow-Origin" not in asked.headers
        assert asked.status_code == 400

    async def test_a_wildcard_among_others_is_a_wildcard(self, open_door: OpenDoor) -> None:
        client = await open_door(allowed_origins=("https://app.example", "*"))

        answer = await client.get(HEALTH, headers={"Origin": "https://app.example"})

        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers

    async def test_holds_for_faults_too(self, client: httpx.AsyncClient) -> None:
        answer = await client.post(
            "/v1/trial/effects", json={"end": "fault"}, headers={"Origin": "https://app.example"}
        )

        assert answer.status_code == 500
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def preflight(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, idempotency-key",
    }


class TestSecurityHeaders:
    @pytest.mark.parametrize("path", [HEALTH, "/v1/auth/me", "/nothing", "/openapi.json"])
    async def test_guard_every_answer(self, client: httpx.AsyncClient, path: str) -> None:
        headers = (await client.get(path)).headers

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "strict-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "Strict-Transport-Security" not in headers

    async def test_insist_on_https_where_it_is_spoken(self, app: FastAPI) -> None:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="https://medici.test"
        ) as client:
            headers = (await client.get(HEALTH)).headers

        assert headers["Strict-Transport-Security"].startswith("max-age=31536000")

    async def test_of_the_documentation_allow_its_own_script_alone(
        self, client: httpx.AsyncClient
    ) -> None:
        policy = (await client.get("/docs")).headers["Content-Security-Policy"]

        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe" not in scripts
        assert "'sha256-" in scripts
        assert "http" not in policy

    async def test_the_documentation_asks_no_foreign_host(self, client: httpx.AsyncClient) -> None:
        page = (await client.get("/docs")).text

        linked = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert linked == ["/docs/swagger-ui.css", "data:,", "/docs/swagger-ui-bundle.js"]
        for address in (linked[0], linked[2]):
            assert (await client.get(address)).status_code == 200


class TestBodyLimit:
    async def test_refuses_what_is_declared_too_large(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/auth/login-dev", content=b"x" * (MEBIBYTE + 1))

        assert (answer.status_code, answer.json()) == (413, {"detail": "body_too_large"})

    @pytest.mark.parametrize("path", ["/v1/trial/effects", "/v1/auth/login-dev"])
    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k-1"}], ids=["plain", "keyed"])
    async def test_counts_what_comes_without_a_declared_length(
        self, client: httpx.AsyncClient, path: str, headers: dict[str, str]
    ) -> None:
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < 64 * MEBIBYTE:
                sent += MEBIBYTE // 4
                yield b" " * (MEBIBYTE // 4)

        answer = await client.post(
            path, content=endless(), headers={"content-type": "application/json", **headers}
        )

        assert (answer.status_code, answer.json()) == (413, {"detail": "body_too_large"})
        assert sent <= 2 * MEBIBYTE

    async def test_allows_uploads_more(self, client: httpx.AsyncClient) -> None:
        fits = await client.post("/v1/uploads", content=b"x" * 15 * MEBIBYTE)
        too_large = await client.post("/v1/uploads", content=b"x" * 16 * MEBIBYTE)

        assert fits.status_code != 413
        assert too_large.status_code == 413

    @pytest.mark.parametrize("length", ["-1", "9" * 30, "1e9", "²"])
    async def test_does_not_stumble_over_an_odd_length(
        self, client: httpx.AsyncClient, length: str
    ) -> None:
        answer = await client.post(
            "/v1/auth/login-dev", content=b"{}", headers={b"content-length": length.encode()}
        )

        assert answer.status_code < 500


def scope(address: str | None) -> Scope:
    return {"type": "http", "client": (address, 1) if address else None}


class TestClientAddress:
    @pytest.mark.parametrize(
        ("peer", "told"),
        [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
            ("testclient", "testclient"),
            (None, "unknown"),
        ],
    )
    def test_groups_what_one_client_can_choose(self, peer: str | None, told: str) -> None:
        assert client_address(scope(peer)) == told


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what is believed about the request."""
    request = Request(scope)
    told = {"client": client_address(scope), "base": str(request.base_url)}
    await JSONResponse(told)(scope, receive, send)


async def believed(
    *headers: tuple[str, str], peer: str = "10.0.0.1", trusted: tuple[str, ...] = ("10.0.0.0/8",)
) -> dict[str, str]:
    transport = httpx.ASGITransport(Proxies(mirror, trusted=trusted), client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        told: dict[str, str] = (await client.get("/", headers=list(headers))).json()
        return told


FORWARDED = (
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "medici.example"),
)


class TestProxies:
    @pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1"])
    async def test_that_are_trusted_are_believed(self, peer: str) -> None:
        told = await believed(*FORWARDED, peer=peer)

        assert told == {"client": "203.0.113.7", "base": "https://medici.example/"}

    @pytest.mark.parametrize(
        ("peer", "trusted"),
        [("198.51.100.9", ("10.0.0.0/8",)), ("10.0.0.1", ()), ("10.0.0.1", ("10.0.0.2",))],
    )
    async def test_that_are_not_trusted_change_nothing(
        self, peer: str, trusted: tuple[str, ...]
    ) -> None:
        told = await believed(
            *FORWARDED,
            ("Forwarded", "for=203.0.113.7"),
            ("X-Real-IP", "203.0.113.7"),
            peer=peer,
            trusted=trusted,
        )

        assert told == {"client": peer, "base": f"{BASE}/"}

    @pytest.mark.parametrize(
        ("forwarded", "client"),
        [
            (["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
            (["6.6.6.6, 203.0.113.7, 10.0.0.9"], "203.0.113.7"),
            (["6.6.6.6", "203.0.113.7"], "203.0.113.7"),
            (["203.0.113.7, 6.6.6.6:80"], "10.0.0.1"),
            (["unknown"], "10.0.0.1"),
            ([""], "10.0.0.1"),
            (["10.0.0.8"], "10.0.0.1"),
        ],
    )
    async def test_the_last_stranger_in_the_chain_is_the_client(
        self, forwarded: list[str], client: str
    ) -> None:
        told = await believed(*(("X-Forwarded-For", line) for line in forwarded))

        assert told["client"] == client

    async def test_another_scheme_is_not_taken(self) -> None:
        told = await believed(("X-Forwarded-Proto", "javascript"))

        assert told["base"] == f"{BASE}/"
