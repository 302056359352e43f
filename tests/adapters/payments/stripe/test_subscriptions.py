"""What a subscription, a price and a buyer mean, where the fake does not go."""

from datetime import timedelta
from typing import Any

import pytest

from medici.adapters.payments.news import PurchaseState, Standing
from medici.adapters.payments.stripe import subscriptions
from medici.adapters.payments.stripe.buyers import buyer_of
from medici.adapters.payments.stripe.objects import (
    Subscription,
)
from medici.adapters.payments.stripe.price import Price
from medici.adapters.payments.stripe.told import Told
from tests.adapters.payments.stripe.conftest import at
from tests.support.stripe import NOW, WHEN

DAY = 86_400
START, END = WHEN, WHEN + 30 * DAY
WEEK = timedelta(days=7)


def price(name: str = "pro", amount: int = 1000, **more: Any) -> dict[str, Any]:
    return {
        "id": f"price_{name}",
        "lookup_key": name,
        "unit_amount": amount,
        "currency": "usd",
        "recurring": {"interval": "month", "interval_count": 1},
        **more,
    }


def item(**more: Any) -> dict[str, Any]:
    return {
        "price": price(),
        "quantity": 1,
        "current_period_start": START,
        "current_period_end": END,
        **more,
    }


def standing(grace: timedelta = WEEK, **more: Any) -> Standing:
    (found,) = told(grace, **more).standings
    return found


def told(grace: timedelta = WEEK, **more: Any) -> Told:
    body = {"id": "sub_1", "status": "active", "items": {"data": [item()]}, **more}
    return subscriptions.told_by(Subscription.model_validate(body), at=NOW, grace=grace)


class TestSubscription:
    def test_lasts_as_long_as_its_longest_item(self) -> None:
        items = [item(), item(price=price("extra"), current_period_end=END + DAY)]

        assert standing(items={"data": items}).expires_at == at(END + DAY)

    def test_is_for_the_item_that_names_a_product_of_ours(self) -> None:
        stranger = item(price=price("tax", lookup_key=None))

        assert standing(items={"data": [stranger, item()]}).product_id == "pro"

    def test_that_names_none_counts_by_its_price(self) -> None:
        found = told(items={"data": [item(price=price("odd", lookup_key=None))]})

        assert found.standings[0].product_id == "price_odd"
        assert found.complete is False

    def test_without_items_has_to_be_asked_for(self) -> None:
        found = told(items={"data": []})

        assert (found.standings, found.complete) == ((), False)

    def test_ends_when_it_is_set_to_end(self) -> None:
        found = standing(cancel_at=END - DAY)

        assert (found.expires_at, found.will_renew) == (at(END - DAY), False)

    def test_renews_until_an_end_in_a_later_period(self) -> None:
        found = standing(cancel_at=END + 90 * DAY)

        assert (found.expires_at, found.will_renew) == (at(END), True)

    def test_loses_access_at_once_without_grace(self) -> None:
        found = standing(timedelta(), status="past_due")

        assert (found.state, found.grace_expires_at) == (PurchaseState.BILLING_RETRY, None)

    def test_has_grace_from_the_end_of_what_was_paid(self) -> None:
        renewal = {"id": "in_2", "billing_reason": "subscription_cycle"}
        change = {"id": "in_2", "billing_reason": "subscription_update"}

        overdue = standing(status="past_due", latest_invoice=renewal)
        changed = standing(status="past_due", latest_invoice=change)

        assert overdue.grace_expires_at == at(START) + WEEK
        assert changed.grace_expires_at == at(END) + WEEK

    def test_tells_what_it_changes_to(self) -> None:
        phases = [
            {"start_date": START, "items": [{"price": price()}]},
            {"start_date": END, "items": [{"price": price("basic")}]},
            {"start_date": END + 30 * DAY, "items": [{"price": price("studio")}]},
        ]
        schedule = {"id": "sub_sched_1", "phases": phases}

        assert standing(schedule=schedule).pending_product_id == "basic"
        assert standing(schedule="sub_sched_1").pending_product_id is None
        assert standing(schedule={**schedule, "phases": phases[:1]}).pending_product_id is None

    def test_keeps_the_invoice_of_its_period_at_hand(self) -> None:
        assert standing(latest_invoice="in_1").transaction_id == "in_1"

    @pytest.mark.parametrize(
        ("interval", "count", "period"),
        [("day", 3, "P3D"), ("week", 1, "P1W"), ("month", 6, "P6M"), ("year", 1, "P1Y")],
    )
    def test_tells_its_period(self, interval: str, count: int, period: str) -> None:
        recurring = {"interval": interval, "interval_count": count}
        items = [item(price=price(recurring=recurring))]

        assert standing(items={"data": items}).period == period


class TestPrice:
    def test_is_ours_by_the_first_name_that_it_bears(self) -> None:
        names: dict[str, Any] = {
            "lookup_key": "a",
            "metadata": {"medici_product": "b", "medici_plan": "c"},
            "product": {"id": "prod_1", "metadata": {"medici_product": "d", "medici_plan": "e"}},
        }
        found = []
        for name in ("lookup_key", "medici_product", "medici_plan"):
            found.append(Price.model_validate({"id": "price_1", **names}).product_id)
            if name == "lookup_key":
                names["lookup_key"] = None
            else:
                del names["metadata"][name]
        for name in ("medici_product", "medici_plan"):
            found.append(Price.model_validate({"id": "price_1", **names}).product_id)
            del names["product"]["metadata"][name]
        found.append(Price.model_validate({"id": "price_1", **names}).product_id)

        assert found == ["a", "b", "c", "d", "e", "price_1"]


class TestBuyer:
    @pytest.mark.parametrize("user", ["", "x" * 129, "a\x00b", "ä", "a\nb"])
    def test_is_nobody_by_a_name_that_we_never_gave(self, user: str) -> None:
        assert buyer_of({"medici_user": user}, None).user_id is None

    def test_is_named_by_metadata_before_the_reference(self) -> None:
        named = [
            buyer_of(metadata, None, "c").user_id
            for metadata in ({"medici_user": "a", "user_id": "b"}, {"user_id": "b"}, {})
        ]

        assert named == ["a", "b", "c"]
