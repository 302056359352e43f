"""The fake of Stripe, held to what the vendor's own client makes of it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import stripe

from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.serving import serving
from medici.fakes.stripe.app import make_app
from tests.fakes.stripe_vendor import KEY, Vendor, vendor_open


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with vendor_open() as opened:
        yield opened


class TestCatalogue:
    async def test_finds_prices_by_lookup_key(self, vendor: Vendor) -> None:
        price = await vendor.price()

        found = await vendor.client.v1.prices.list_async(
            {"lookup_keys": ["pro"], "active": True, "expand": ["data.product"]}
        )

        assert [each.id for each in found.data] == [price.id]
        product = found.data[0].product
        assert isinstance(product, stripe.Product)
        assert product.name == "Pro"

    async def test_moves_a_lookup_key(self, vendor: Vendor) -> None:
        first = await vendor.price(1499)
        second = await vendor.price(1999, transfer_lookup_key=True)

        found = await vendor.client.v1.prices.list_async({"lookup_keys": ["pro"]})
        old = await vendor.client.v1.prices.retrieve_async(first.id)

        assert ([each.id for each in found.data], old.lookup_key) == ([second.id], None)

    async def test_refuses_a_lookup_key_that_is_taken(self, vendor: Vendor) -> None:
        await vendor.price()

        with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
            await vendor.price(1999)

    async def test_never_changes_an_amount(self, vendor: Vendor) -> None:
        price = await vendor.price()

        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}) as visitor:
            answer = await visitor.post(
                f"{vendor.base}/v1/prices/{price.id}", data={"unit_amount": "1"}
            )

        assert answer.status_code == 400

    async def test_is_stocked_from_the_command_line(self) -> None:
        async with serving(make_app(seed=1)) as base, httpx.AsyncClient(base_url=base) as visitor:
            found = await visitor.get("/v1/prices?expand[]=data.product", auth=(KEY, ""))

        (price,) = found.json()["data"]
        assert (price["lookup_key"], price["unit_amount"]) == ("pro_monthly_web", 1499)
        assert price["product"]["metadata"] == {"medici_plan": "pro"}


class TestCheckout:
    async def test_sells_a_subscription(self, vendor: Vendor) -> None:
        price = await vendor.price()
        session = await vendor.session(
            price, subscription_data={"metadata": {"medici_user": "ada"}}
        )

        paid = await vendor.order(f"pay/{session.id}")

        subscription = await vendor.client.v1.subscriptions.retrieve_async(
            paid["subscription"], {"expand": ["latest_invoice", "items.data.price.product"]}
        )
        invoice = subscription.latest_invoice
        assert isinstance(invoice, stripe.Invoice)
        assert (session.status, session.payment_intent) == ("open", None)
        assert (paid["status"], paid["payment_status"]) == ("complete", "paid")
        assert subscription.status == "active"
        assert subscription.metadata.to_dict() == {"medici_user": "ada"}
        assert (invoice.amount_paid, invoice.status) == (1499, "paid")
        assert await vendor.types() == [
            "customer.created",
            "customer.subscription.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice.payment_succeeded",
            "invoice.paid",
            "checkout.session.completed",
        ]

    async def test_begins_a_trial(self, vendor: Vendor) -> None:
        subscription = await vendor.subscription(subscription_data={"trial_period_days": 14})

        item = subscription["items"].data[0]
        assert subscription.status == "trialing"
        assert subscription.trial_end == item.current_period_end
        assert vendor.plane.billed == 0

    async def test_sells_a_pack(self, vendor: Vendor) -> None:
        price = await vendor.price(499, key="pack", recurring=None)
        session = await vendor.session(price, mode="payment")

        await vendor.order(f"pay/{session.id}")

        found = await vendor.client.v1.checkout.sessions.retrieve_async(
            session.id, {"expand": ["line_items.data.price.product", "payment_intent"]}
        )
        intent, lines = found.payment_intent, found.line_items
        assert isinstance(intent, stripe.PaymentIntent)
        assert lines is not None
        assert (intent.amount_received, found.payment_status) == (499, "paid")
        assert (lines.data[0].quantity, found.amount_total) == (1, 499)

    async def test_waits_for_a_delayed_payment(self, vendor: Vendor) -> None:
        price = await vendor.price(499, recurring=None)
        session = await vendor.session(price, mode="payment")

        waiting = await vendor.order(f"pay/{session.id}", delayed=True)
        settled = await vendor.order(f"settle/{session.id}")

        assert (waiting["payment_status"], settled["payment_status"]) == ("unpaid", "paid")
        assert (await vendor.types())[-1] == "checkout.session.async_payment_succeeded"

    async def test_expires(self, vendor: Vendor) -> None:
        session = await vendor.session(await vendor.price())

        expired = await vendor.client.v1.checkout.sessions.expire_async(session.id)

        assert (expired.status, expired.url) == ("expired", None)
        with pytest.raises(stripe.InvalidRequestError, match="expired"):
            await vendor.client.v1.checkout.sessions.expire_async(session.id)

    async def test_is_paid_by_a_click(self, vendor: Vendor) -> None:
        session = await vendor.session(await vendor.price())
        assert session.url is not None

        shown = await vendor.visitor.get(session.url)
        clicked = await vendor.visitor.post(session.url, data={"pay": "1"})
        again = await vendor.visitor.get(session.url)

        assert "14.99 USD" in shown.text
        assert clicked.headers["Location"] == f"https://app.example/thanks?session={session.id}"
        assert "This checkout is complete." in again.text

    async def test_refuses_a_recurring_price_for_a_payment(self, vendor: Vendor) -> None:
        price = await vendor.price()

        with pytest.raises(stripe.InvalidRequestError, match="recurring price"):
            await vendor.session(price, mode="payment")


class TestIdempotency:
    async def test_repeats_an_answer(self, vendor: Vendor) -> None:
        once: Any = {"idempotency_key": "one"}

        made = [
            await vendor.client.v1.customers.create_async({"email": "ada@example.com"}, once)
            for _ in range(2)
        ]

        listed = await vendor.client.v1.customers.list_async()
        assert made[0].id == made[1].id
        assert len(listed.data) == 1

    async def test_refuses_other_parameters(self, vendor: Vendor) -> None:
        once: Any = {"idempotency_key": "one"}
        await vendor.client.v1.customers.create_async({"email": "ada@example.com"}, once)

        with pytest.raises(stripe.IdempotencyError, match="same parameters"):
            await vendor.client.v1.customers.create_async({"email": "bob@example.com"}, once)

    async def test_saves_whose_answer_was_lost(self, vendor: Vendor) -> None:
        vendor.plane.faults.set(Rule(fault=Fault(kind=FaultKind.RESET_AFTER_BODY), calls=(1,)))

        twice: Any = {"idempotency_key": "one", "max_network_retries": 1}

        await vendor.client.v1.customers.create_async({"email": "ada@example.com"}, twice)

        assert len((await vendor.client.v1.customers.list_async()).data) == 1


class TestRefusals:
    async def test_name_what_is_missing(self, vendor: Vendor) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await vendor.client.v1.subscriptions.retrieve_async("sub_nothing")

        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (FaultKind.AUTH, stripe.AuthenticationError),
            (FaultKind.RATE_LIMITED, stripe.RateLimitError),
        ],
    )
    async def test_are_planned(
        self, vendor: Vendor, kind: FaultKind, expected: type[Exception]
    ) -> None:
        vendor.fail(kind, "list_customers")

        with pytest.raises(expected):
            await vendor.client.v1.customers.list_async()

    async def test_meet_who_has_no_key(self, vendor: Vendor) -> None:
        assert (await vendor.visitor.get("/v1/customers")).status_code == 401

    async def test_spare_whoever_sends_the_key_as_curl_does(self, vendor: Vendor) -> None:
        answers = [
            await vendor.visitor.get("/v1/customers", auth=(name, "")) for name in (KEY, "somebody")
        ]

        assert [answer.status_code for answer in answers] == [200, 401]

    async def test_meet_orders_that_nobody_knows(self, vendor: Vendor) -> None:
        answer = await vendor.visitor.post("/__fake/advance", json={"pay": True})

        assert answer.status_code == 422


class TestOldVersion:
    async def test_is_answered_in_its_shape(self, vendor: Vendor) -> None:
        subscription = await vendor.subscription()

        old: Any = await vendor.client.v1.subscriptions.retrieve_async(
            subscription.id, options={"stripe_version": "2024-06-20"}
        )

        item = subscription["items"].data[0]
        assert old.current_period_end == item.current_period_end
