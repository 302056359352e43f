"""How the fake of Stripe bills and gives money back, by the vendor's own client."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from tests.fakes.stripe_vendor import Vendor, vendor_open


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with vendor_open() as opened:
        yield opened


class TestSubscriptions:
    async def test_advance_by_a_period(self, vendor: Vendor) -> None:
        before = (await vendor.subscription())["items"].data[0]

        moved = await vendor.order("advance")

        after = await vendor.client.v1.subscriptions.retrieve_async(moved["advanced"][0])
        item = after["items"].data[0]
        began = datetime.fromtimestamp(item.current_period_start, UTC)
        ended = datetime.fromtimestamp(item.current_period_end, UTC)
        assert item.current_period_start == before.current_period_end
        assert timedelta(days=28) <= ended - began <= timedelta(days=31)
        assert vendor.plane.billed == 2

    async def test_fall_behind_and_recover(self, vendor: Vendor) -> None:
        subscription = await vendor.subscription()
        await vendor.order("advance", pays=False)
        behind = await vendor.client.v1.subscriptions.retrieve_async(subscription.id)

        await vendor.order(f"recover/{subscription.id}")

        recovered = await vendor.client.v1.subscriptions.retrieve_async(subscription.id)
        assert (behind.status, recovered.status) == ("past_due", "active")
        assert vendor.plane.billed == 2

    async def test_end_with_their_period(self, vendor: Vendor) -> None:
        subscription = await vendor.subscription()

        changed = await vendor.client.v1.subscriptions.update_async(
            subscription.id, {"cancel_at_period_end": True}
        )
        await vendor.order("advance")

        ended = await vendor.client.v1.subscriptions.retrieve_async(subscription.id)
        assert (changed.status, changed.cancel_at_period_end) == ("active", True)
        assert ended.status == "canceled"

    async def test_are_canceled_at_once(self, vendor: Vendor) -> None:
        subscription = await vendor.subscription()

        ended = await vendor.client.v1.subscriptions.cancel_async(subscription.id)

        assert ended.status == "canceled"
        assert (await vendor.types())[-1] == "customer.subscription.deleted"

    async def test_are_upgraded_for_the_rest_of_the_period(self, vendor: Vendor) -> None:
        subscription = await vendor.subscription(1000)
        item = subscription["items"].data[0]
        better = await vendor.price(3000, key="studio")
        half = (item.current_period_end - item.current_period_start) / 2
        vendor.plane.advance(timedelta(seconds=half))

        changed = await vendor.client.v1.subscriptions.update_async(
            subscription.id,
            {
                "items": [{"id": item.id, "price": better.id}],
                "proration_behavior": "always_invoice",
                "expand": ["latest_invoice"],
            },
        )

        invoice = changed.latest_invoice
        assert isinstance(invoice, stripe.Invoice)
        assert [line.amount for line in invoice.lines.data] == [-500, 1500]
        assert (invoice.billing_reason, invoice.amount_paid) == ("subscription_update", 1000)

    async def test_are_looked_after_in_the_portal(self, vendor: Vendor) -> None:
        subscription = await vendor.subscription()
        portal = await vendor.client.v1.billing_portal.sessions.create_async(
            {"customer": str(subscription.customer), "return_url": "https://app.example/"}
        )

        shown = await vendor.visitor.get(portal.url)
        await vendor.visitor.post(portal.url, data={"cancel": subscription.id})

        changed = await vendor.client.v1.subscriptions.retrieve_async(subscription.id)
        assert subscription.id in shown.text
        assert changed.cancel_at_period_end is True


class TestMoneyBack:
    async def test_goes_back_in_parts(self, vendor: Vendor) -> None:
        subscription = await vendor.subscription(1000)
        payments = await vendor.client.v1.invoice_payments.list_async(
            {"invoice": str(subscription.latest_invoice)}
        )
        intent = str(payments.data[0].payment.payment_intent)

        for amount in (400, 600):
            await vendor.client.v1.refunds.create_async(
                {"payment_intent": intent, "amount": amount}
            )

        with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
            await vendor.client.v1.refunds.create_async({"payment_intent": intent})
        paid = await vendor.client.v1.payment_intents.retrieve_async(
            intent, {"expand": ["latest_charge"]}
        )
        assert isinstance(paid.latest_charge, stripe.Charge)
        assert (paid.latest_charge.amount_refunded, paid.latest_charge.refunded) == (1000, True)

    async def test_comes_back_when_a_refund_fails(self, vendor: Vendor) -> None:
        await vendor.subscription()
        charge = _object_of(
            await vendor.client.v1.events.list_async({"types": ["charge.succeeded"]})
        )
        refund = await vendor.client.v1.refunds.create_async({"charge": charge})

        await vendor.order(f"refunds/{refund.id}/fail")

        failed = await vendor.client.v1.refunds.retrieve_async(refund.id)
        back = await vendor.client.v1.charges.retrieve_async(charge)
        assert (failed.status, back.amount_refunded) == ("failed", 0)

    async def test_is_disputed(self, vendor: Vendor) -> None:
        await vendor.subscription()
        charge = _object_of(
            await vendor.client.v1.events.list_async({"types": ["charge.succeeded"]})
        )

        begun = await vendor.order("disputes", charge=charge)
        await vendor.order(f"disputes/{begun['id']}/close", status="lost")

        dispute = await vendor.client.v1.disputes.retrieve_async(begun["id"])
        assert (begun["status"], dispute.status, dispute.amount) == ("needs_response", "lost", 1499)


def _object_of(events: stripe.ListObject[stripe.Event]) -> str:
    return str(events.data[0].data.object["id"])
