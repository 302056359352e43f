"""Google Play's stand-in, and our store before it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

import pytest

from medici.adapters.payments.google.account import AccessTokens, ServiceAccount
from medici.adapters.payments.google.api import PlayApi
from medici.adapters.payments.google.store import GooglePlayStore
from medici.adapters.payments.news import StoreNews
from medici.fakes.google_play.app import google_play_app
from medici.fakes.google_play.shop import Scripted, Shop
from medici.fakes.plane import Plane
from medici.fakes.serving import serving
from medici.kernel.environment import Environment
from medici.kernel.net.client import OutgoingClient
from tests.support.google import NOW, PACKAGE, google


@dataclass(frozen=True, kw_only=True)
class Play:
    """The stand-in at ``base``; ``store`` asks it."""

    shop: Shop
    base: str
    store: GooglePlayStore
    outgoing: OutgoingClient
    times: list[datetime] = field(default_factory=list)

    async def subscription(self, token: str = "token-1", *, now: datetime = NOW) -> StoreNews:
        return await self._current(f"subscription:{PACKAGE}:{token}", now)

    async def product(self, token: str = "token-1", *, now: datetime = NOW) -> StoreNews:
        return await self._current(f"product:{PACKAGE}:{token}", now)

    async def _current(self, handle: str, now: datetime) -> StoreNews:
        news = await self.store.current(handle, environment=Environment.PRODUCTION, now=now)
        assert news is not None
        return news

    def asked(self, operation: str) -> int:
        return sum(1 for asked in self.shop.plane.asked if asked.operation == operation)

    def pass_time(self, **by: float) -> None:
        """Let our own clock go on."""
        self.times[0] += timedelta(**by)

    def script(self, token: str = "token-1", **scripted: object) -> None:
        """Have a subscription stand like this."""
        self.shop.set_subscription(token, dict(scripted))

    def script_product(self, token: str = "token-1", **scripted: object) -> None:
        self.shop.set_product(token, dict(scripted))

    @property
    def subscriptions(self) -> dict[str, Scripted]:
        return self.shop.subscriptions


@cache
def service_account() -> ServiceAccount:
    """Return the account that the stand-in knows, read once: checking its key takes time."""
    return ServiceAccount.of(json.dumps(google().key_file("https://google.example/token")))


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    shop = Shop(plane=Plane(seed=1), google=google())
    async with serving(google_play_app(shop)) as base:
        allowed = frozenset({base.removeprefix("http://")})
        async with OutgoingClient(allow=allowed) as outgoing:
            account = replace(service_account(), token_uri=f"{base}/token")
            times = [shop.plane.now()]
            api = PlayApi(
                outgoing=outgoing,
                tokens=AccessTokens(outgoing, account),
                base=base,
                clock=lambda: times[0],
            )
            yield Play(
                shop=shop,
                base=base,
                store=GooglePlayStore(api=api, packages=(PACKAGE,)),
                outgoing=outgoing,
                times=times,
            )
