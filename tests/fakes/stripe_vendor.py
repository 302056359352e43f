"""Stripe's own client before the fake."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import stripe
from aiohttp import web

from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.plane import Plane
from medici.fakes.serving import serving
from medici.fakes.stripe.app import stripe_app
from medici.fakes.stripe.habits import Habits

KEY = "sk_test_anything"
HOME = "https://app.example/thanks?session={CHECKOUT_SESSION_ID}"


@dataclass(frozen=True, kw_only=True)
class Vendor:
    plane: Plane
    habits: Habits
    app: web.Application
    base: str
    client: stripe.StripeClient
    visitor: httpx.AsyncClient

    def fail(self, kind: FaultKind, operation: str) -> None:
        self.plane.faults.set(Rule(fault=Fault(kind=kind), operation=operation))

    async def order(self, path: str, **body: object) -> Any:
        answer = await self.visitor.post(f"/__fake/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def price(self, amount: int = 1499, *, key: str = "pro", **more: Any) -> stripe.Price:
        product = await self.client.v1.products.create_async({"name": "Pro"})
        params: Any = {
            "product": product.id,
            "currency": "usd",
            "unit_amount": amount,
            "lookup_key": key,
            "recurring": {"interval": "month"},
            **more,
        }
        return await self.client.v1.prices.create_async(params)

    async def session(self, price: stripe.Price, **more: Any) -> stripe.checkout.Session:
        params: Any = {
            "mode": "subscription",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": HOME,
            "client_reference_id": "ada",
            **more,
        }
        return await self.client.v1.checkout.sessions.create_async(params)

    async def subscription(self, amount: int = 1499, **more: Any) -> stripe.Subscription:
        session = await self.session(await self.price(amount), **more)
        paid = await self.order(f"pay/{session.id}")
        return await self.client.v1.subscriptions.retrieve_async(paid["subscription"])

    async def types(self) -> list[str]:
        """Return what happened, in its order."""
        listed = await self.client.v1.events.list_async({"limit": 100})
        return [event.type for event in reversed(listed.data)]


@asynccontextmanager
async def vendor_open() -> AsyncIterator[Vendor]:
    plane, habits = Plane(seed=1), Habits()
    app = stripe_app(plane, habits)
    async with serving(app) as base, httpx.AsyncClient(base_url=base) as visitor:
        http = stripe.AIOHTTPClient()
        client = stripe.StripeClient(KEY, base_addresses={"api": base}, http_client=http)
        yield Vendor(plane=plane, habits=habits, app=app, base=base, client=client, visitor=visitor)
        await http.close_async()  # type: ignore[no-untyped-call] # the vendor's
