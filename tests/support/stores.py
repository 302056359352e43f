"""A deployment that sells in three stores at once, beside stand-ins of all three."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import select

from medici.adapters.payments.stripe.catalogue import ForSale, bootstrap_catalogue
from medici.domain.notices.models import WebhookNotice
from medici.domain.notices.service.endpoints import Wish, add_endpoint
from medici.domain.plans.models import Pack, Plan
from medici.fakes.apple.app import apple_app
from medici.fakes.apple.keys import ISSUER_ID, KEY_ID, AppKey
from medici.fakes.apple.shop import Purchase as ApplePurchase
from medici.fakes.apple.shop import Shop as AppleShop
from medici.fakes.apple.shop import Wanted
from medici.fakes.google_play.app import google_play_app
from medici.fakes.google_play.identity import PUSHER
from medici.fakes.google_play.shop import Shop as PlayShop
from medici.fakes.plane import Plane
from medici.fakes.serving import serving
from medici.fakes.stripe.app import stripe_app
from medici.fakes.stripe.habits import Habits
from medici.kernel.db.database import Database
from medici.kernel.net.client import OutgoingClient
from medici.resources import Resources
from medici.settings import Settings
from medici.stores import receivers, stores
from tests.doors.support import Hands
from tests.kernel.net.names import Names
from tests.support import apple
from tests.support.google import AUDIENCE, PACKAGE, Published, Push, Pusher, google
from tests.support.painters import Painter
from tests.support.stripe import SECRET, header
from tests.support.studio import Studio, opened_studio

LIVE_KEY = "sk_live_a_key_that_nobody_may_see"
PERIOD_CREDITS, PACK_CREDITS = 100, 40
CATALOGUE = (
    ForSale(
        lookup_key="pro_monthly_web",
        name="Pro",
        plan_id="pro",
        amount_minor=1499,
        currency="usd",
        interval="month",
    ),
    ForSale(
        lookup_key="pack_web", name="40 credits", plan_id="forty", amount_minor=499, currency="usd"
    ),
)


@dataclass
class Kept(Plane):
    """A stand-in's plane whose time is the deployment's."""

    clock: Hands = field(default_factory=Hands)

    def now(self) -> datetime:
        return self.clock()


@dataclass(frozen=True, kw_only=True)
class StripeShop:
    """Stripe's stand-in; ``visitor`` speaks to it with our key."""

    plane: Plane
    habits: Habits
    visitor: httpx.AsyncClient

    async def order(self, path: str, **body: object) -> Any:
        answer = await self.visitor.post(f"/__fake/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ask(self, path: str) -> Any:
        answer = await self.visitor.get(f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def events(self) -> list[bytes]:
        """Return what happened, as it is sent, oldest first."""
        listed = await self.ask("events?limit=100")
        ids = [event["id"] for event in reversed(listed["data"])]
        return [(await self.visitor.get(f"/v1/events/{each}")).content for each in ids]

    def asked(self, operation: str) -> int:
        return sum(1 for asked in self.plane.asked if asked.operation == operation)


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The stand-ins, and the ``studio`` that hears and asks them; all keep the same time."""

    studio: Studio
    apple: AppleShop
    play: PlayShop
    stripe: StripeShop

    def with_settings(self, **changed: Any) -> "Stores":
        """Return the same stores beside a deployment that was started with other settings."""
        resources = self.studio.resources
        settings = resources.settings.model_copy(update=changed)
        sold = _sold(resources, settings, outgoing=resources.outgoing)
        return replace(self, studio=Studio(sold, self.studio.clock))

    def apple_tells(self, kind: str, original: str, subtype: str | None = None) -> bytes:
        """Return a notification of how a purchase stands at the stand-in."""
        wanted = Wanted(kind=kind, subtype=subtype, purchase=original)
        return apple.enveloped(self.apple.tell(wanted).signed)

    def apple_sells(self, **transaction: Any) -> str:
        """Have a month bought in the App Store; return its original transaction."""
        bought = apple.bought(**transaction)
        original = str(bought["originalTransactionId"])
        renewing = apple.renewing(originalTransactionId=original, productId=bought["productId"])
        self.apple.purchases[original] = ApplePurchase(
            transaction=bought, renewal=renewing, status=1
        )
        return original

    def google_pushes(self, message_id: str = "message-1", **notification: Any) -> Push:
        """Return an honest push; without a notification it tells of a renewal of ``token-1``."""
        pusher = Pusher(at=self.studio.clock(), message_id=message_id)
        return (replace(pusher, notification=notification) if notification else pusher).push()

    def stripe_signs(self, raw: bytes, secret: str = SECRET) -> dict[str, str]:
        at = int(self.studio.clock().timestamp())
        return {"Stripe-Signature": header(raw, at, secret)}

    async def listen(self) -> None:
        """Have notices written down from now on; nobody is at their address."""
        resources = self.studio.resources
        async with resources.database.transaction() as session:
            wish = Wish(url="https://listener.example/", types=None)
            await add_endpoint(session, wish, keys=resources.keys, now=resources.now())

    async def notices(self) -> list[str]:
        async with self.studio.database.reading() as session:
            rows = await session.scalars(select(WebhookNotice.type).order_by(WebhookNotice.id))
            return [str(row) for row in rows]

    def pass_time(self, **by: float) -> None:
        self.studio.clock.advance(timedelta(**by))


@asynccontextmanager
async def opened_stores(
    database: Database, directory: Path, *, clock: Hands, **settings: Any
) -> AsyncIterator[Stores]:
    """Open a deployment that sells a plan and a pack everywhere, and the stand-ins beside it."""
    shop = AppleShop(plane=Kept(seed=1, clock=clock), writer=apple.writer())
    play = PlayShop(plane=Kept(seed=2, clock=clock), google=google())
    key, habits, plane = AppKey(), Habits(secrets=(SECRET,)), Kept(seed=3, clock=clock)
    (directory / "roots").mkdir()
    (directory / "roots" / "root.der").write_bytes(apple.authority().root.der)
    async with AsyncExitStack() as stack:
        studio = await stack.enter_async_context(
            opened_studio(database, directory, Painter(), clock=clock)
        )
        apps = (apple_app(shop, key), google_play_app(play), stripe_app(plane, habits))
        bases = [await stack.enter_async_context(serving(app)) for app in apps]
        allowed = frozenset(base.removeprefix("http://") for base in bases)
        outgoing = await stack.enter_async_context(OutgoingClient(allow=allowed, lookup=Names()))
        of_stores = _of_stores(directory / "roots", key, bases)
        changed = studio.resources.settings.model_copy(update={**of_stores, **settings})
        resources = _sold(studio.resources, changed, outgoing=outgoing)
        visitor = await stack.enter_async_context(
            httpx.AsyncClient(base_url=bases[2], headers={"Authorization": f"Bearer {LIVE_KEY}"})
        )
        await _put_on_sale(resources)
        yield Stores(
            studio=Studio(resources, clock),
            apple=shop,
            play=play,
            stripe=StripeShop(plane=plane, habits=habits, visitor=visitor),
        )


def _of_stores(roots: Path, key: AppKey, bases: list[str]) -> Mapping[str, Any]:
    apple_base, google_base, stripe_base = bases
    return {
        "apple_bundle_ids": ("com.example.medici",),
        "apple_app_apple_id": 1234567890,
        "apple_root_certs_dir": roots,
        "apple_environments": ("Production", "Sandbox"),
        "apple_api_base": apple_base,
        "apple_api_issuer_id": ISSUER_ID,
        "apple_api_key_id": KEY_ID,
        "apple_api_private_key": SecretStr(key.pem),
        "google_play_package_names": (PACKAGE,),
        "google_play_api_base": google_base,
        "google_play_service_account": SecretStr(
            json.dumps(google().key_file(f"{google_base}/token"))
        ),
        "google_pubsub_audience": AUDIENCE,
        "google_pubsub_service_account": PUSHER,
        "stripe_secret_key": SecretStr(LIVE_KEY),
        "stripe_api_base": stripe_base,
        "stripe_webhook_secret": SecretStr(SECRET),
    }


def _sold(resources: Resources, settings: Settings, *, outgoing: OutgoingClient) -> Resources:
    """Give a deployment what it hears and asks stores with, as its settings say."""
    return replace(
        resources,
        settings=settings,
        outgoing=outgoing,
        stores=stores(settings, outgoing=outgoing, clock=resources.clock),
        receivers=receivers(settings, keys=Published(), outgoing=outgoing),
    )


async def _put_on_sale(resources: Resources) -> None:
    if resources.receivers.checkout is not None:
        await bootstrap_catalogue(resources.receivers.checkout.wire, CATALOGUE)
    async with resources.database.transaction() as session:
        pro = await session.get_one(Plan, "pro")
        pro.period_credits = PERIOD_CREDITS
        session.add(_dearer(resources.now()))
        session.add(
            Pack(
                pack_id="forty",
                display_name="40 credits",
                is_active=True,
                credits=PACK_CREDITS,
                price_cents=499,
                ios_product_id="pack_ios",
                android_product_id="pack_android",
                web_product_id="pack_web",
                updated_at=resources.now(),
            )
        )


def _dearer(now: datetime) -> Plan:
    return Plan(
        plan_id="atelier",
        display_name="Atelier",
        is_active=True,
        daily_credits=200,
        preview_cost_credits=1,
        final_cost_credits=1,
        monthly_price_cents=2999,
        ios_product_id="atelier_monthly_ios",
        android_product_id="atelier_monthly_android",
        web_product_id="atelier_monthly_web",
        features=[],
        period_credits=300,
        trial_credits=0,
        updated_at=now,
    )
