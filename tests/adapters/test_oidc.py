"""An issuer's keys are fetched when needed, and not more often than that."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from medici.adapters.oidc import IssuerUnavailable, PublishedKeys
from medici.kernel.net.client import OutgoingClient
from medici.settings import OidcIssuer

KEYS = "/keys"
DISCOVERY = "/.well-known/openid-configuration"


@dataclass
class Site:
    """An issuer's site on loopback, and what it was asked."""

    keys: list[object] = field(default_factory=lambda: [{"kid": "k1"}])
    status: int = 200
    body: bytes | None = None
    named: str | None = None  # what its discovery document says it is
    base: str = ""
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if self.body is not None:
            return web.Response(body=self.body, status=self.status)
        if request.path == DISCOVERY:
            issuer = self.named or self.base
            return web.json_response({"issuer": issuer, "jwks_uri": self.base + KEYS})
        return web.json_response({"keys": self.keys}, status=self.status)


@dataclass
class Hands:
    now: datetime = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    async with TestServer(app) as server:
        site.base = f"http://127.0.0.1:{server.port}"
        yield site


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def published(site: Site, clock: Hands) -> AsyncIterator[PublishedKeys]:
    client = OutgoingClient(allow=frozenset({site.base.removeprefix("http://")}))
    yield PublishedKeys(client, clock)
    await client.close()


def issuer(site: Site, *, discovers: bool = False) -> OidcIssuer:
    return OidcIssuer(
        issuer=site.base, audience="medici", jwks_uri=None if discovers else site.base + KEYS
    )


class TestKeys:
    async def test_are_fetched_once_a_day(
        self, site: Site, published: PublishedKeys, clock: Hands
    ) -> None:
        for hours in (0, 1, 22):
            clock.now += timedelta(hours=hours)
            assert await published.keys(issuer(site), key_id="k1") == ({"kid": "k1"},)
        asked_before = list(site.asked)
        clock.now += timedelta(hours=1)
        await published.keys(issuer(site), key_id="k1")

        assert (asked_before, site.asked) == ([KEYS], [KEYS, KEYS])

    async def test_are_fetched_again_for_an_unknown_id_once_a_minute(
        self, site: Site, published: PublishedKeys, clock: Hands
    ) -> None:
        await published.keys(issuer(site), key_id="k1")
        site.keys = [{"kid": "k2"}]
        early = await published.keys(issuer(site), key_id="k2")
        clock.now += timedelta(minutes=1)
        rotated = await published.keys(issuer(site), key_id="k2")
        for number in range(20):
            await published.keys(issuer(site), key_id=f"forged-{number}")

        assert (early, rotated) == (({"kid": "k1"},), ({"kid": "k2"},))
        assert site.asked == [KEYS, KEYS]

    async def test_are_found_by_discovery(self, site: Site, published: PublishedKeys) -> None:
        assert await published.keys(issuer(site, discovers=True), key_id="k1") == ({"kid": "k1"},)
        assert site.asked == [DISCOVERY, KEYS]

    async def test_are_not_taken_from_the_discovery_of_another(
        self, site: Site, published: PublishedKeys
    ) -> None:
        site.named = "https://other.example"

        with pytest.raises(IssuerUnavailable):
            await published.keys(issuer(site, discovers=True), key_id="k1")

    @pytest.mark.parametrize(
        ("status", "body"),
        [(500, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b"{}"), (200, b'{"keys": 1}')],
    )
    async def test_are_unavailable_where_the_issuer_answers_oddly(
        self, site: Site, published: PublishedKeys, status: int, body: bytes
    ) -> None:
        site.status, site.body = status, body

        with pytest.raises(IssuerUnavailable):
            await published.keys(issuer(site), key_id="k1")

    async def test_of_a_private_address_are_not_fetched(
        self, site: Site, published: PublishedKeys
    ) -> None:
        inside = OidcIssuer(
            issuer="https://inside.example", audience="medici", jwks_uri="https://10.0.0.1/keys"
        )

        with pytest.raises(IssuerUnavailable):
            await published.keys(inside, key_id="k1")
