"""How the fake of Stripe tells what happened: signed, again, backwards, later."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import stripe
from aiohttp import web

from medici.fakes.serving import serving
from medici.fakes.stripe.app import COURIER
from medici.fakes.stripe.habits import SECRET, Shape
from tests.fakes.stripe_vendor import Vendor, vendor_open


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with vendor_open() as opened:
        yield opened


@dataclass(kw_only=True)
class Receiver:
    """Takes events and keeps what came; refuses as often as it is told."""

    refusals: int = 0
    taken: list[stripe.Event] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=500)
        header = request.headers["Stripe-Signature"]
        event = stripe.Webhook.construct_event(await request.read(), header, SECRET)
        self.taken.append(event)
        return web.Response()

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.taken]


@asynccontextmanager
async def receiving(vendor: Vendor, **habits: Any) -> AsyncIterator[Receiver]:
    """Have the fake's events sent to a receiver of the test's own."""
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/hook", receiver.take)
    async with serving(app) as base:
        await vendor.order("stripe", webhook_url=f"{base}/hook", **habits)
        yield receiver


class TestEvents:
    async def test_are_signed_so_that_the_client_believes_them(self, vendor: Vendor) -> None:
        async with receiving(vendor) as receiver:
            await vendor.subscription()
            await vendor.app[COURIER].quiet()

        assert receiver.types == await vendor.types()

    async def test_come_twice_if_so_wanted(self, vendor: Vendor) -> None:
        async with receiving(vendor, deliveries=2) as receiver:
            await vendor.client.v1.customers.create_async({})
            await vendor.app[COURIER].quiet()

        assert receiver.types == ["customer.created"] * 2
        assert len({event.id for event in receiver.taken}) == 1

    async def test_have_twins_if_so_wanted(self, vendor: Vendor) -> None:
        async with receiving(vendor, twins=True) as receiver:
            await vendor.client.v1.customers.create_async({})
            await vendor.app[COURIER].quiet()

        assert len({event.id for event in receiver.taken}) == 2

    async def test_come_backwards_if_so_wanted(self, vendor: Vendor) -> None:
        session = await vendor.session(await vendor.price())
        async with receiving(vendor, reorder=True, delay_seconds=60) as receiver:
            await vendor.order(f"pay/{session.id}")
            vendor.plane.advance(timedelta(seconds=61))
            await vendor.app[COURIER].quiet()

        assert receiver.types == (await vendor.types())[::-1]

    async def test_wait_if_so_wanted(self, vendor: Vendor) -> None:
        async with receiving(vendor, delay_seconds=60) as receiver:
            await vendor.client.v1.customers.create_async({})
            await vendor.app[COURIER].quiet()
            early = receiver.types
            vendor.plane.advance(timedelta(seconds=61))
            await vendor.app[COURIER].quiet()

        assert (early, receiver.types) == ([], ["customer.created"])

    async def test_come_again_after_a_refusal(self, vendor: Vendor) -> None:
        async with receiving(vendor) as receiver:
            receiver.refusals = 1
            await vendor.client.v1.customers.create_async({})
            await vendor.app[COURIER].quiet()
            vendor.plane.advance(timedelta(seconds=2))
            await vendor.app[COURIER].quiet()

        assert receiver.types == ["customer.created"]
        assert vendor.app[COURIER].sent == 2

    async def test_are_told_in_the_old_shape_if_so_wanted(self, vendor: Vendor) -> None:
        await vendor.order("stripe", shape=Shape.OLD)
        await vendor.subscription()

        told = {
            event.type: event.data.object
            for event in (await vendor.client.v1.events.list_async({"limit": 100})).data
        }

        subscription = told["customer.subscription.created"]
        invoice, charge = told["invoice.paid"], told["charge.succeeded"]
        line = invoice["lines"].data[0]
        assert "current_period_end" in subscription
        assert "current_period_end" not in subscription["items"].data[0]
        assert (invoice["subscription"], invoice["charge"]) == (subscription["id"], charge["id"])
        assert (line.price.lookup_key, line.proration, line.type) == ("pro", False, "subscription")

    async def test_are_filtered_and_paged(self, vendor: Vendor) -> None:
        for _ in range(3):
            await vendor.client.v1.customers.create_async({})
        await vendor.price()

        listed = await vendor.client.v1.events.list_async(
            {"types": ["customer.created"], "limit": 2}
        )
        all_of_them = [event async for event in listed.auto_paging_iter()]

        assert (len(listed.data), listed.has_more, len(all_of_them)) == (2, True, 3)
