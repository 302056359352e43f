"""The App Store's stand-in, and our store before it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from medici.adapters.payments.apple.api import ApiKey, AppStoreApi
from medici.adapters.payments.apple.notifications import AppleNotifications
from medici.adapters.payments.apple.store import AppleStore
from medici.fakes.apple.app import apple_app
from medici.fakes.apple.keys import ISSUER_ID, KEY_ID, AppKey
from medici.fakes.apple.shop import Shop
from medici.fakes.plane import Plane
from medici.fakes.serving import serving
from medici.kernel.net.client import OutgoingClient
from tests.support.apple import app, writer


@dataclass(frozen=True, kw_only=True)
class AppStore:
    """The stand-in at ``base``; ``store`` asks it."""

    shop: Shop
    base: str
    key: AppKey
    outgoing: OutgoingClient
    store: AppleStore

    def api(self, *, key: AppKey | None = None) -> AppStoreApi:
        pem = (key or self.key).pem
        return AppStoreApi(
            outgoing=self.outgoing,
            key=ApiKey.of(issuer_id=ISSUER_ID, key_id=KEY_ID, pem=pem),
            base=self.base,
        )


@pytest.fixture(scope="session")
def notifications() -> AppleNotifications:
    return AppleNotifications(app())


@pytest.fixture
async def app_store() -> AsyncIterator[AppStore]:
    shop, key = Shop(plane=Plane(seed=1), writer=writer()), AppKey()
    async with serving(apple_app(shop, key)) as base:
        allowed = frozenset({base.removeprefix("http://")})
        async with OutgoingClient(allow=allowed) as outgoing:
            api = AppStoreApi(
                outgoing=outgoing,
                key=ApiKey.of(issuer_id=ISSUER_ID, key_id=KEY_ID, pem=key.pem),
                base=base,
            )
            yield AppStore(
                shop=shop,
                base=base,
                key=key,
                outgoing=outgoing,
                store=AppleStore(app(environments=("Production",)), api),
            )
