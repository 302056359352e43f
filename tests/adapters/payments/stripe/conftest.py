"""The adapter before the fake, on loopback, and a catalogue in it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from medici.adapters.payments.news import StoreNews
from medici.adapters.payments.stripe.catalogue import ForSale, bootstrap_catalogue
from medici.adapters.payments.stripe.checkout import Mode, StripeCheckout, Wish
from medici.adapters.payments.stripe.event import StripeEvent
from medici.adapters.payments.stripe.events import StripeEvents
from medici.adapters.payments.stripe.store import StripeStore
from medici.adapters.payments.stripe.wire import StripeWire
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.plane import Asked, Plane
from medici.fakes.serving import serving
from medici.fakes.stripe.app import stripe_app
from medici.fakes.stripe.habits import Habits, Shape
from medici.kernel.net.client import OutgoingClient
from tests.support.stripe import SECRET, header

KEY = "sk_test_a_key_that_nobody_may_see"
PRO, STUDIO, PACK = "pro_monthly_web", "studio_monthly_web", "pack_100_web"
CATALOGUE = (
    ForSale(
        lookup_key=PRO,
        name="Pro",
        plan_id="pro",
        amount_minor=1000,
        currency="usd",
        interval="month",
    ),
    ForSale(
        lookup_key=STUDIO,
        name="Studio",
        plan_id="studio",
        amount_minor=3000,
        currency="usd",
        interval="month",
    ),
    ForSale(
        lookup_key=PACK, name="100 credits", plan_id="pack_100", amount_minor=499, currency="usd"
    ),
)


def wish(product_id: str = PRO, **more: Any) -> Wish:
    fields: dict[str, Any] = {
        "mode": Mode.PAYMENT if product_id == PACK else Mode.SUBSCRIPTION,
        "product_id": product_id,
        "user_id": "ada",
        "checkout_id": "wcs_1",
        "success_url": "https://app.example/thanks",
        "cancel_url": "https://app.example/",
        **more,
    }
    return Wish(**fields)


@dataclass(frozen=True, kw_only=True)
class Stage:
    plane: Plane
    habits: Habits
    visitor: httpx.AsyncClient
    wire: StripeWire

    @property
    def store(self) -> StripeStore:
        return StripeStore(wire=self.wire)

    @property
    def checkout(self) -> StripeCheckout:
        return StripeCheckout(wire=self.wire)

    @property
    def events(self) -> StripeEvents:
        return StripeEvents(secrets=(SECRET,))

    def now(self) -> datetime:
        return self.plane.now().replace(microsecond=0)

    def asked(self, operation: str) -> list[Asked]:
        return [asked for asked in self.plane.asked if asked.operation == operation]

    def fail(self, kind: FaultKind, operation: str, *calls: int, **more: Any) -> None:
        fault = Fault(kind=kind, **more)
        self.plane.faults.set(Rule(fault=fault, operation=operation, calls=calls))

    async def order(self, path: str, **body: object) -> Any:
        answer = await self.visitor.post(f"/__fake/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def get(self, path: str) -> Any:
        return (await self.visitor.get(f"/v1/{path}")).json()

    async def post(self, path: str, **fields: str) -> Any:
        return (await self.visitor.post(f"/v1/{path}", data=fields)).json()

    async def buy(self, product_id: str = PRO, **more: Any) -> Any:
        """Check out and pay; return the session."""
        session = await self.checkout.create(wish(product_id, **more), key=self.plane.new_id())
        return await self.order(f"pay/{session.id}")

    async def subscribe(self, **more: Any) -> str:
        """Buy a subscription and return its id."""
        return str((await self.buy(**more))["subscription"])

    async def upgrade(self, subscription_id: str, product_id: str = STUDIO) -> Any:
        """Change what a subscription is for in the middle of its period, billed at once."""
        found = await self.get(f"subscriptions/{subscription_id}")
        item = found["items"]["data"][0]
        half = (item["current_period_end"] - item["current_period_start"]) / 2
        self.plane.advance(timedelta(seconds=half))
        prices = await self.get(f"prices?lookup_keys[0]={product_id}")
        return await self.post(
            f"subscriptions/{subscription_id}",
            **{
                "items[0][id]": item["id"],
                "items[0][price]": prices["data"][0]["id"],
                "proration_behavior": "always_invoice",
            },
        )

    async def raw(self, kind: str) -> bytes:
        """Return the newest event of a kind as it is sent."""
        listed = await self.get(f"events?types[0]={kind}")
        found = await self.visitor.get(f"/v1/events/{listed['data'][0]['id']}")
        return found.content

    async def event(self, kind: str) -> StripeEvent:
        raw, now = await self.raw(kind), self.now()
        return self.events.open(raw, header(raw, int(now.timestamp())), now=now)

    async def told(self, kind: str) -> StoreNews:
        """Return what the newest event of a kind says by itself."""
        return self.events.tell(await self.event(kind))

    async def completed(self, kind: str) -> StoreNews:
        """Return what the newest event of a kind says once Stripe has been asked as well."""
        return await self.store.complete(await self.event(kind), now=self.now())


@pytest.fixture
async def empty_stage() -> AsyncIterator[Stage]:
    """Give a fake that sells nothing yet."""
    plane, habits = Plane(seed=1), Habits()
    headers = {"Authorization": f"Bearer {KEY}"}
    async with serving(stripe_app(plane, habits)) as base:
        allow = frozenset({base.removeprefix("http://")})
        async with (
            OutgoingClient(allow=allow) as outgoing,
            httpx.AsyncClient(base_url=base, headers=headers) as visitor,
        ):
            wire = StripeWire(outgoing=outgoing, key=KEY, base=base)
            yield Stage(plane=plane, habits=habits, visitor=visitor, wire=wire)


@pytest.fixture
async def stage(empty_stage: Stage) -> Stage:
    await bootstrap_catalogue(empty_stage.wire, CATALOGUE)
    return empty_stage


@pytest.fixture(params=Shape)
async def shaped(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """Give the fake twice, as it tells events now and as it told them once."""
    stage.habits.shape = request.param
    return stage


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def is_silent(news: StoreNews) -> bool:
    """Tell whether news say nothing that would be booked."""
    return not (news.standings or news.payments or news.refunds)
