"""What the events of payments say, in both of Stripe's shapes."""

from dataclasses import replace
from fractions import Fraction

import pytest

from medici.adapters.payments.news import (
    Buyer,
    Paid,
)
from medici.adapters.payments.stripe.telling import READERS, needs_lookup
from medici.fakes.stripe.habits import Shape
from medici.kernel.environment import Environment
from tests.adapters.payments.stripe.conftest import PACK, PRO, STUDIO, Stage, at, is_silent, wish

CREATED = "customer.subscription.created"
UPDATED = "customer.subscription.updated"
DELETED = "customer.subscription.deleted"


class TestInvoices:
    async def test_pay_for_a_period(self, shaped: Stage) -> None:
        session = await shaped.buy()

        news = await shaped.told("invoice.paid")

        (payment,) = news.payments
        invoice = (await shaped.get("invoices"))["data"][0]
        assert (payment.transaction_id, payment.product_id) == (invoice["id"], PRO)
        assert (payment.paid, payment.share) == (Paid.PERIOD, Fraction(1))
        assert (payment.amount_minor, payment.currency) == (1000, "USD")
        assert payment.lineage_id == session["subscription"]
        assert payment.paid_at == at(invoice["status_transitions"]["paid_at"])
        assert payment.period_end == at(invoice["lines"]["data"][0]["period"]["end"])
        assert news.buyer == Buyer(
            user_id="ada", customer_id=session["customer"], checkout_id="wcs_1"
        )

    async def test_pay_for_the_next_period(self, shaped: Stage) -> None:
        await shaped.subscribe()
        (first,) = (await shaped.told("invoice.paid")).payments
        await shaped.order("advance")

        (second,) = (await shaped.told("invoice.paid")).payments

        assert second.transaction_id != first.transaction_id
        assert second.period_start == first.period_end
        assert second.paid is Paid.PERIOD

    async def test_of_a_trial_bring_no_paid_period(self, shaped: Stage) -> None:
        await shaped.subscribe(trial_days=14)

        (payment,) = (await shaped.told("invoice.paid")).payments

        assert (payment.paid, payment.amount_minor) == (Paid.TRIAL, 0)

    async def test_after_a_trial_pay_for_a_period(self, shaped: Stage) -> None:
        await shaped.subscribe(trial_days=14)
        await shaped.order("advance")

        (payment,) = (await shaped.told("invoice.paid")).payments

        assert (payment.paid, payment.amount_minor) == (Paid.PERIOD, 1000)

    async def test_that_failed_bring_nothing(self, shaped: Stage) -> None:
        await shaped.subscribe()
        await shaped.order("advance", pays=False)

        news = await shaped.told("invoice.payment_failed")

        assert is_silent(news)
        assert news.remark == "a payment that failed"

    async def test_of_the_old_shape_know_a_change_by_themselves(self, stage: Stage) -> None:
        stage.habits.shape = Shape.OLD
        subscription_id = await stage.subscribe()
        (first,) = (await stage.told("invoice.paid")).payments
        await stage.upgrade(subscription_id)

        news = await stage.told("invoice.paid")

        (payment,), (refund,) = news.payments, news.refunds
        assert (payment.product_id, payment.share) == (STUDIO, Fraction(1, 2))
        assert (payment.amount_minor, payment.paid) == (1000, Paid.PERIOD)
        assert (refund.transaction_id, refund.share) == (first.transaction_id, Fraction(1, 2))
        assert (refund.amount_minor, refund.ends_access) == (0, False)
        assert not needs_lookup(await stage.event("invoice.paid"))

    async def test_of_the_new_shape_have_to_ask_for_the_price(self, stage: Stage) -> None:
        subscription_id = await stage.subscribe()
        await stage.upgrade(subscription_id)

        assert is_silent(await stage.told("invoice.paid"))
        assert needs_lookup(await stage.event("invoice.paid"))


class TestCheckouts:
    async def test_of_a_subscription_link_the_customer(self, shaped: Stage) -> None:
        session = await shaped.buy()

        news = await shaped.told("checkout.session.completed")

        assert is_silent(news)
        assert news.buyer == Buyer(
            user_id="ada", customer_id=session["customer"], checkout_id="wcs_1"
        )

    async def test_of_a_pack_pay_once(self, shaped: Stage) -> None:
        session = await shaped.buy(PACK, quantity=3)

        (payment,) = (await shaped.told("checkout.session.completed")).payments

        assert payment.transaction_id == session["payment_intent"]
        assert (payment.product_id, payment.paid) == (PACK, Paid.ONCE)
        assert (payment.amount_minor, payment.quantity) == (1497, 3)
        assert payment.lineage_id is None

    async def test_grant_nothing_before_a_delayed_payment_has_come(self, shaped: Stage) -> None:
        session = await shaped.checkout.create(wish(PACK), key="one")
        await shaped.order(f"pay/{session.id}", delayed=True)
        waiting = await shaped.told("checkout.session.completed")
        await shaped.order(f"settle/{session.id}")

        news = await shaped.told("checkout.session.async_payment_succeeded")

        assert is_silent(waiting)
        assert [payment.product_id for payment in news.payments] == [PACK]

    async def test_grant_nothing_when_a_delayed_payment_failed(self, shaped: Stage) -> None:
        session = await shaped.checkout.create(wish(PACK), key="one")
        await shaped.order(f"pay/{session.id}", delayed=True)
        await shaped.order(f"settle/{session.id}", pays=False)

        assert is_silent(await shaped.told("checkout.session.async_payment_failed"))

    async def test_that_ran_out_name_our_checkout(self, shaped: Stage) -> None:
        session = await shaped.checkout.create(wish(PACK), key="one")
        await shaped.checkout.expire(session.id, key="two")

        news = await shaped.told("checkout.session.expired")

        assert is_silent(news)
        assert news.buyer.checkout_id == "wcs_1"


class TestMoneyBack:
    async def test_of_the_old_shape_names_its_invoice(self, stage: Stage) -> None:
        stage.habits.shape = Shape.OLD
        await stage.subscribe()
        (payment,) = (await stage.told("invoice.paid")).payments
        await stage.checkout.refund(payment.transaction_id, amount_minor=250, key="one")

        news = await stage.told("charge.refunded")

        (refund,) = news.refunds
        refunded = (await stage.get("refunds"))["data"][0]
        assert (refund.refund_id, refund.transaction_id) == (
            refunded["id"],
            payment.transaction_id,
        )
        assert (refund.share, refund.amount_minor) == (Fraction(1, 4), 250)
        assert (refund.ends_access, refund.reversed) == (False, False)

    async def test_of_the_old_shape_names_the_payment_of_a_pack(self, stage: Stage) -> None:
        stage.habits.shape = Shape.OLD
        session = await stage.buy(PACK)
        await stage.checkout.refund(session["payment_intent"], key="one")

        (refund,) = (await stage.told("charge.refunded")).refunds

        assert refund.transaction_id == session["payment_intent"]
        assert (refund.share, refund.ends_access) == (Fraction(1), True)

    async def test_of_the_new_shape_has_to_be_asked_for(self, stage: Stage) -> None:
        session = await stage.buy(PACK)
        await stage.checkout.refund(session["payment_intent"], key="one")

        for kind in ("charge.refunded", "refund.created", "refund.updated"):
            news = await stage.told(kind)

            assert is_silent(news)
            assert news.remark == "unresolved refund"
            assert needs_lookup(await stage.event(kind))

    async def test_of_an_inquiry_is_none(self, shaped: Stage) -> None:
        session = await shaped.buy(PACK)
        await shaped.order(
            "disputes", payment_intent=session["payment_intent"], status="warning_needs_response"
        )

        news = await shaped.told("charge.dispute.created")

        assert (is_silent(news), news.remark) == (True, "an inquiry that takes no money")
        assert not needs_lookup(await shaped.event("charge.dispute.created"))


class TestWithAStoreToAsk:
    async def test_money_is_left_to_the_answer(self, stage: Stage) -> None:
        await stage.subscribe()
        event = await stage.event("invoice.paid")

        news = replace(stage.events, asks=Environment.SANDBOX).tell(event)

        assert is_silent(news)
        assert news.remark == "Stripe is asked for what the event leaves out"
        assert news.buyer.user_id == "ada"

    async def test_the_other_world_is_told_all_the_same(self, stage: Stage) -> None:
        await stage.subscribe()
        event = await stage.event("invoice.paid")

        news = replace(stage.events, asks=Environment.PRODUCTION).tell(event)

        assert len(news.payments) == 1

    async def test_what_is_complete_is_told_at_once(self, stage: Stage) -> None:
        await stage.buy(PACK)
        event = await stage.event("checkout.session.completed")

        news = replace(stage.events, asks=Environment.SANDBOX).tell(event)

        assert len(news.payments) == 1


class TestOtherEvents:
    @pytest.mark.parametrize(
        "kind", ["customer.created", "payment_intent.succeeded", "invoice.payment_succeeded"]
    )
    async def test_are_kept_unread(self, shaped: Stage, kind: str) -> None:
        await shaped.buy()

        news = await shaped.told(kind)

        assert is_silent(news)
        assert news.remark == "an event that changes nothing here"

    def test_need_no_more_than_one_question_for_what_was_missed(self) -> None:
        assert len(READERS) <= 20  # so many types may be asked for at once
