"""Selling: checkouts, the portal, money back."""

from datetime import timedelta

import pytest

from medici.adapters.payments.errors import PurchaseUnknown, StoreUnavailable
from medici.adapters.payments.stripe.errors import NotForSale, StripeRefused
from medici.fakes.faults import FaultKind
from tests.adapters.payments.stripe.conftest import PACK, Stage, wish


class TestCheckout:
    async def test_opens_for_a_subscription(self, stage: Stage) -> None:
        session = await stage.checkout.create(wish(trial_days=14), key="checkout:wcs_1:1")

        kept = await stage.get(f"checkout/sessions/{session.id}")
        (asked,) = stage.asked("create_session")
        assert asked.headers["Idempotency-Key"] == "checkout:wcs_1:1"
        assert session.url == f"{stage.wire.base}/pay/{session.id}"
        assert (session.status, session.payment_status) == ("open", "unpaid")
        assert kept["client_reference_id"] == "ada"
        assert kept["metadata"] == {
            "medici_user": "ada",
            "medici_checkout": "wcs_1",
            "medici_product": "pro_monthly_web",
            "medici_quantity": "1",
        }

    async def test_copies_our_ids_to_what_lives_on(self, stage: Stage) -> None:
        subscription_id = await stage.subscribe(metadata={"campaign": "autumn"})
        session = await stage.buy(PACK)

        subscription = await stage.get(f"subscriptions/{subscription_id}")
        intent = await stage.get(f"payment_intents/{session['payment_intent']}")
        assert subscription["metadata"]["campaign"] == "autumn"
        assert subscription["metadata"]["medici_user"] == "ada"
        assert intent["metadata"]["medici_checkout"] == "wcs_1"

    async def test_is_one_however_often_it_is_asked_for(self, stage: Stage) -> None:
        first = await stage.checkout.create(wish(), key="checkout:wcs_1:1")
        second = await stage.checkout.create(wish(), key="checkout:wcs_1:1")

        assert first == second
        assert len((await stage.get("checkout/sessions"))["data"]) == 1

    async def test_is_refused_for_something_else_by_the_same_key(self, stage: Stage) -> None:
        await stage.checkout.create(wish(), key="checkout:wcs_1:1")

        with pytest.raises(StripeRefused, match="idempotency_error"):
            await stage.checkout.create(wish(quantity=2), key="checkout:wcs_1:1")

    async def test_is_one_though_its_answer_was_lost(self, stage: Stage) -> None:
        stage.fail(FaultKind.RESET_AFTER_BODY, "create_session", 1)

        session = await stage.checkout.create(wish(), key="checkout:wcs_1:1")

        listed = await stage.get("checkout/sessions")
        assert [each["id"] for each in listed["data"]] == [session.id]

    async def test_waits_for_nobody_who_never_answers(self, stage: Stage) -> None:
        stage.fail(FaultKind.RESET_AFTER_BODY, "create_session")

        with pytest.raises(StoreUnavailable):
            await stage.checkout.create(wish(), key="checkout:wcs_1:1")

    async def test_sells_only_what_has_a_price(self, stage: Stage) -> None:
        with pytest.raises(NotForSale) as refused:
            await stage.checkout.create(wish("unheard_of"), key="checkout:wcs_1:1")

        assert refused.value.product_id == "unheard_of"
        assert stage.asked("create_session") == []

    async def test_lasts_as_long_as_wanted(self, stage: Stage) -> None:
        until = stage.now() + timedelta(hours=1)

        session = await stage.checkout.create(wish(expires_at=until), key="one")

        assert session.expires_at == until

    async def test_knows_a_customer_again(self, stage: Stage) -> None:
        customer_id = (await stage.buy())["customer"]

        session = await stage.buy(customer_id=customer_id, email="ada@example.com")

        assert session["customer"] == customer_id

    async def test_is_looked_up(self, stage: Stage) -> None:
        paid = await stage.buy(PACK)

        session = await stage.checkout.retrieve(paid["id"])

        assert (session.status, session.payment_status) == ("complete", "paid")
        assert (session.amount_total, session.currency) == (499, "usd")

    async def test_is_closed(self, stage: Stage) -> None:
        session = await stage.checkout.create(wish(), key="one")

        closed = await stage.checkout.expire(session.id, key="two")

        assert (closed.status, closed.url) == ("expired", None)


class TestPortal:
    async def test_is_where_a_customer_looks_after_subscriptions(self, stage: Stage) -> None:
        session = await stage.buy()

        url = await stage.checkout.portal(
            session["customer"], return_url="https://app.example/", key="portal:1"
        )

        shown = (await stage.visitor.get(url)).text
        assert session["subscription"] in shown

    async def test_is_refused_to_strangers(self, stage: Stage) -> None:
        with pytest.raises(StripeRefused) as refused:
            await stage.checkout.portal("cus_nobody", return_url="https://a.example/", key="one")

        assert refused.value.is_missing


class TestRefund:
    async def test_gives_an_invoice_back(self, stage: Stage) -> None:
        await stage.subscribe()
        (payment,) = (await stage.told("invoice.paid")).payments

        made = await stage.checkout.refund(payment.transaction_id, key="refund:1")

        assert (made.amount, made.status) == (1000, "succeeded")

    async def test_gives_back_once(self, stage: Stage) -> None:
        session = await stage.buy(PACK)
        intent = session["payment_intent"]

        made = [
            await stage.checkout.refund(intent, amount_minor=100, key="refund:1") for _ in range(2)
        ]

        assert made[0] == made[1]
        assert len((await stage.get("refunds"))["data"]) == 1

    async def test_gives_a_charge_back(self, stage: Stage) -> None:
        session = await stage.buy(PACK)
        intent = await stage.get(f"payment_intents/{session['payment_intent']}")

        made = await stage.checkout.refund(intent["latest_charge"], key="refund:1")

        assert made.amount == 499

    async def test_finds_nothing_to_give_back_for_a_trial(self, stage: Stage) -> None:
        await stage.subscribe(trial_days=14)
        (payment,) = (await stage.told("invoice.paid")).payments

        with pytest.raises(PurchaseUnknown):
            await stage.checkout.refund(payment.transaction_id, key="refund:1")
