"""Asking Stripe for what an event leaves out."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from medici.adapters.payments.errors import PurchaseUnknown
from medici.adapters.payments.news import AuthMode, PurchaseState, Refund
from medici.adapters.payments.stripe.checkout import StripeCheckout
from medici.adapters.payments.stripe.event import open_event
from medici.kernel.environment import Environment
from tests.adapters.payments.stripe.conftest import PACK, STUDIO, Stage, wish
from tests.support.stripe import event

SANDBOX = Environment.SANDBOX


async def only_refund(stage: Stage, kind: str) -> Refund:
    (refund,) = (await stage.completed(kind)).refunds
    return refund


class TestComplete:
    async def test_names_the_product_after_a_change(self, shaped: Stage) -> None:
        subscription_id = await shaped.subscribe()
        (first,) = (await shaped.completed("invoice.paid")).payments
        await shaped.upgrade(subscription_id)

        news = await shaped.completed("invoice.paid")

        (standing,), (payment,), (refund,) = news.standings, news.payments, news.refunds
        assert (standing.product_id, payment.product_id) == (STUDIO, STUDIO)
        assert (payment.share, payment.amount_minor) == (Fraction(1, 2), 1000)
        assert (refund.transaction_id, refund.share) == (first.transaction_id, Fraction(1, 2))

    async def test_counts_from_when_it_was_asked(self, shaped: Stage) -> None:
        await shaped.subscribe()
        shaped.plane.advance(timedelta(hours=1))
        found = await shaped.event("invoice.paid")

        news = await shaped.completed("invoice.paid")

        assert (news.event_id, news.event_type) == (f"completed:{found.id}", "invoice.paid")
        assert (news.auth_mode, news.event_time) == (AuthMode.FETCHED, shaped.now())

    async def test_tells_of_an_older_invoice_beside_the_newest(self, shaped: Stage) -> None:
        await shaped.subscribe()
        found = await shaped.event("invoice.paid")
        await shaped.order("advance")

        news = await shaped.store.complete(found, now=shaped.now())

        assert {payment.transaction_id for payment in news.payments} == {
            found.body["id"],
            news.standings[0].transaction_id,
        }

    async def test_says_how_a_subscription_stands_after_a_failed_payment(
        self, shaped: Stage
    ) -> None:
        await shaped.subscribe()
        await shaped.order("advance", pays=False)

        news = await shaped.completed("invoice.payment_failed")

        assert news.standings[0].state is PurchaseState.GRACE
        assert news.payments == ()

    @pytest.mark.parametrize("kind", ["charge.refunded", "refund.created", "refund.updated"])
    async def test_finds_the_invoice_of_a_refund(self, shaped: Stage, kind: str) -> None:
        await shaped.subscribe()
        (payment,) = (await shaped.told("invoice.paid")).payments
        made = await shaped.checkout.refund(payment.transaction_id, amount_minor=250, key="one")

        refund = await only_refund(shaped, kind)

        assert (refund.refund_id, refund.transaction_id) == (made.id, payment.transaction_id)
        assert (refund.share, refund.ends_access) == (Fraction(1, 4), False)

    async def test_finds_the_payment_of_a_pack(self, shaped: Stage) -> None:
        session = await shaped.buy(PACK)
        await shaped.checkout.refund(session["payment_intent"], key="one")

        refund = await only_refund(shaped, "refund.created")

        assert refund.transaction_id == session["payment_intent"]
        assert (refund.share, refund.ends_access) == (Fraction(1), True)

    async def test_tells_of_all_refunds_of_a_payment(self, shaped: Stage) -> None:
        session = await shaped.buy(PACK)
        for amount in (99, 400):
            await shaped.checkout.refund(
                session["payment_intent"], amount_minor=amount, key=str(amount)
            )

        news = await shaped.completed("charge.refunded")

        assert sorted(refund.amount_minor or 0 for refund in news.refunds) == [99, 400]
        assert all(refund.ends_access for refund in news.refunds)

    async def test_gives_a_failed_refund_back(self, shaped: Stage) -> None:
        session = await shaped.buy(PACK)
        made = await shaped.checkout.refund(session["payment_intent"], key="one")
        await shaped.order(f"refunds/{made.id}/fail")

        refund = await only_refund(shaped, "refund.failed")

        assert (refund.reversed, refund.ends_access) == (True, False)

    @pytest.mark.parametrize(
        ("outcome", "is_back", "is_over"), [("won", True, False), ("lost", False, True)]
    )
    async def test_follows_a_dispute_to_its_end(
        self, shaped: Stage, outcome: str, is_back: bool, is_over: bool
    ) -> None:
        await shaped.subscribe()
        (payment,) = (await shaped.told("invoice.paid")).payments
        payments = await shaped.get(f"invoice_payments?invoice={payment.transaction_id}")
        intent = payments["data"][0]["payment"]["payment_intent"]
        begun = await shaped.order("disputes", payment_intent=intent)
        first = await only_refund(shaped, "charge.dispute.created")
        await shaped.order(f"disputes/{begun['id']}/close", status=outcome)

        last = await only_refund(shaped, "charge.dispute.closed")

        assert (first.refund_id, first.reason) == (last.refund_id, "dispute")
        assert (first.transaction_id, first.share) == (payment.transaction_id, Fraction(1))
        assert (first.reversed, first.ends_access) == (False, False)
        assert (last.reversed, last.ends_access) == (is_back, is_over)

    async def test_finds_what_a_checkout_of_somebody_elses_sold(self, shaped: Stage) -> None:
        prices = await shaped.get(f"prices?lookup_keys[0]={PACK}")
        session = await shaped.post(
            "checkout/sessions",
            **{
                "mode": "payment",
                "line_items[0][price]": prices["data"][0]["id"],
                "line_items[0][quantity]": "2",
                "success_url": "https://app.example/",
                "client_reference_id": "ada",
            },
        )
        await shaped.order(f"pay/{session['id']}")

        news = await shaped.completed("checkout.session.completed")

        assert news.buyer.user_id == "ada"
        assert [(each.product_id, each.quantity) for each in news.payments] == [(PACK, 2)]

    async def test_tells_an_event_of_the_other_world_by_itself(self, stage: Stage) -> None:
        await stage.subscribe()
        raw = (await stage.raw("invoice.paid")).replace(b'"livemode":false', b'"livemode":true')

        news = await stage.store.complete(open_event(raw), now=stage.now())

        assert (news.environment, news.auth_mode) == (Environment.PRODUCTION, AuthMode.NATIVE)

    async def test_tells_of_real_money_by_a_live_key(self, stage: Stage) -> None:
        live = replace(stage.store, wire=replace(stage.wire, key="sk_live_a_key"))
        checkout = StripeCheckout(wire=live.wire)
        session = await checkout.create(wish(), key="one")
        paid = await stage.order(f"pay/{session.id}")

        news = await live.current(
            paid["subscription"], environment=Environment.PRODUCTION, now=stage.now()
        )

        assert news is not None
        assert news.environment is Environment.PRODUCTION
        assert (await stage.event("invoice.paid")).environment is Environment.PRODUCTION

    async def test_leaves_an_inquiry_alone(self, shaped: Stage) -> None:
        session = await shaped.buy(PACK)
        begun = await shaped.order("disputes", payment_intent=session["payment_intent"])
        await shaped.order(f"disputes/{begun['id']}/close", status="warning_closed")

        news = await shaped.completed("charge.dispute.created")

        assert (news.refunds, news.remark) == ((), "an inquiry that takes no money")

    async def test_finds_no_payment_of_a_refund_that_names_none(self, stage: Stage) -> None:
        opened = open_event(event("refund.created", {"id": "re_1", "amount": 1}, livemode=False))

        news = await stage.store.complete(opened, now=stage.now())

        assert (news.refunds, news.remark) == ((), "unresolved refund")

    async def test_is_at_hand_for_an_event_that_only_its_id_is_left_of(self, stage: Stage) -> None:
        await stage.subscribe()
        found = await stage.event("invoice.paid")

        assert await stage.store.event(found.id) == found
        with pytest.raises(PurchaseUnknown):
            await stage.store.event("evt_nothing")
