"""What invoices, checkouts and refunds mean, where the fake does not go."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from medici.adapters.payments.news import Paid
from medici.adapters.payments.stripe import checkouts, invoices, refunds
from medici.adapters.payments.stripe.event import open_event
from medici.adapters.payments.stripe.objects import (
    Charge,
    CheckoutSession,
    Invoice,
    StripeRefund,
)
from medici.adapters.payments.stripe.refunds import PaidFor, refunds_of
from medici.adapters.payments.stripe.telling import needs_lookup, told_by
from medici.adapters.payments.stripe.told import Told
from tests.support.stripe import NOW, WHEN, event

DAY = 86_400
START, END = WHEN, WHEN + 30 * DAY
WEEK = timedelta(days=7)


def line(name: str = "pro", amount: int = 1000, full: int | None = None, **more: Any) -> Any:
    return {
        "amount": amount,
        "period": {"start": START, "end": END},
        "price": {
            "id": f"price_{name}",
            "lookup_key": name,
            "unit_amount": amount if full is None else full,
            "currency": "usd",
        },
        "quantity": 1,
        "type": "subscription",
        **more,
    }


def invoice(*lines: Any, **more: Any) -> Told:
    body = {
        "id": "in_1",
        "amount_paid": 1000,
        "currency": "usd",
        "billing_reason": "subscription_cycle",
        "subscription": "sub_1",
        "lines": {"data": lines},
        **more,
    }
    return invoices.told_by(Invoice.model_validate(body), at=NOW)


class TestInvoice:
    def test_without_a_subscription_brings_nothing(self) -> None:
        assert invoice(line(), subscription=None).payments == ()

    def test_without_a_period_brings_nothing(self) -> None:
        fee = line("fee", 5000, type="invoiceitem")

        assert invoice(fee).payments == ()

    def test_is_for_the_period_and_not_for_a_fee(self) -> None:
        fee = line("fee", 5000, type="invoiceitem")

        (payment,) = invoice(fee, line()).payments

        assert payment.product_id == "pro"

    def test_that_a_coupon_paid_is_a_full_period(self) -> None:
        (payment,) = invoice(line(), amount_paid=0).payments

        assert (payment.paid, payment.amount_minor) == (Paid.PERIOD, 0)

    def test_of_a_price_of_nothing_is_a_full_period(self) -> None:
        (payment,) = invoice(line(amount=0), amount_paid=0).payments

        assert payment.paid is Paid.PERIOD

    def test_of_a_trial_is_none(self) -> None:
        (payment,) = invoice(line(amount=0, full=1000), amount_paid=0).payments

        assert payment.paid is Paid.TRIAL

    def test_for_another_interval_pays_in_full_and_gives_back_the_rest(self) -> None:
        credited = {"credited_items": {"invoice": "in_0"}}
        rest = line(amount=-400, full=1000, proration=True, proration_details=credited)
        yearly = line("pro_yearly", 10_000)

        found = invoice(rest, yearly, billing_reason="subscription_update", amount_paid=9600)

        assert [(each.product_id, each.share) for each in found.payments] == [
            ("pro_yearly", Fraction(1))
        ]
        assert [(each.transaction_id, each.share) for each in found.refunds] == [
            ("in_0", Fraction(2, 5))
        ]

    def test_of_several_seats_is_prorated_by_the_price_of_all(self) -> None:
        rest = line(amount=1500, full=1000, quantity=3, proration=True)

        (payment,) = invoice(rest, billing_reason="subscription_update").payments

        assert payment.share == Fraction(1, 2)

    def test_never_brings_more_than_a_period(self) -> None:
        more = line(amount=1001, full=1000, proration=True)

        (payment,) = invoice(more, billing_reason="subscription_update").payments

        assert payment.share == 1

    def test_of_a_renewal_is_not_moved_by_prorated_lines_beside_it(self) -> None:
        beside = line("studio", 7000, proration=True)

        (payment,) = invoice(beside, line()).payments

        assert (payment.product_id, payment.share) == ("pro", Fraction(1))


class TestCheckout:
    def test_without_a_product_has_to_be_asked_for(self) -> None:
        session = CheckoutSession.model_validate(
            {"id": "cs_1", "mode": "payment", "payment_status": "paid"}
        )

        assert checkouts.told_by(session, at=NOW).complete is False

    def test_of_nothing_to_pay_is_booked_by_itself(self) -> None:
        session = CheckoutSession.model_validate(
            {
                "id": "cs_1",
                "mode": "payment",
                "payment_status": "no_payment_required",
                "metadata": {"medici_product": "pack", "medici_quantity": "none"},
            }
        )

        (payment,) = checkouts.told_by(session, at=NOW).payments

        assert (payment.transaction_id, payment.quantity) == ("cs_1", 1)


def refund(refund_id: str, amount: int, status: str = "succeeded") -> StripeRefund:
    return StripeRefund(id=refund_id, amount=amount, status=status)


class TestRefunds:
    def test_end_access_when_nothing_is_left(self) -> None:
        paid_for = PaidFor(transaction_id="in_1", total_minor=1000)

        part = refunds_of([refund("re_1", 400)], paid_for, at=NOW)
        whole = refunds_of([refund("re_1", 400), refund("re_2", 600)], paid_for, at=NOW)

        assert [each.ends_access for each in part] == [False]
        assert [each.ends_access for each in whole] == [True, True]
        assert [each.share for each in whole] == [Fraction(2, 5), Fraction(3, 5)]

    @pytest.mark.parametrize("status", ["failed", "canceled"])
    def test_that_failed_are_given_back(self, status: str) -> None:
        paid_for = PaidFor(transaction_id="in_1", total_minor=1000)

        (found,) = refunds_of([refund("re_1", 1000, status)], paid_for, at=NOW)

        assert (found.reversed, found.ends_access) == (True, False)

    @pytest.mark.parametrize("total", [0, 10])
    def test_never_take_more_than_was_paid(self, total: int) -> None:
        paid_for = PaidFor(transaction_id="in_1", total_minor=total)

        (found,) = refunds_of([refund("re_1", 1000)], paid_for, at=NOW)

        assert found.share == 1

    def test_of_a_charge_that_tells_only_some_have_to_be_asked_for(self) -> None:
        listed = {"data": [{"id": "re_1", "amount": 1}], "has_more": True}
        charge = Charge.model_validate(
            {"id": "ch_1", "amount": 10, "invoice": "in_1", "refunds": listed}
        )

        assert refunds.told_by_charge(charge, at=NOW).complete is False


class TestUnreadable:
    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("customer.subscription.updated", {}),
            ("customer.subscription.updated", {"id": "sub_1", "status": "active", "items": 7}),
            ("invoice.paid", {"id": "in_1"}),
            ("invoice.payment_failed", {"id": None}),
            ("charge.refunded", {"id": "ch_1", "amount": "much"}),
            ("refund.created", {"id": "re_1", "amount": 10**30}),
            ("charge.dispute.created", {"id": "du_1"}),
            ("checkout.session.completed", {"id": "cs_1", "mode": "payment"}),
        ],
    )
    def test_objects_are_kept_and_asked_for(self, kind: str, body: dict[str, Any]) -> None:
        opened = open_event(event(kind, body))

        found = told_by(opened, grace=WEEK)

        assert found.remark is not None
        assert found.remark.startswith("an object that cannot be read: ")
        assert needs_lookup(opened)
