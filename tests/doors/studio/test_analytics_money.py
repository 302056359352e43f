"""What subscribers bring, and what renders earn and cost."""

from datetime import timedelta

from medici.adapters.payments.news import Paid, PurchaseState, Source
from medici.domain.events.facts import EventName
from medici.kernel.db.database import Database
from medici.kernel.environment import Environment
from tests.doors.studio.analytics_desk import (
    ADMIN,
    HOUR,
    ago,
    asked,
    entitlement,
    keep,
    operator,
    payment,
    purchase,
    rolled,
    tell,
)
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW, Hands
from tests.support.studio import Studio

__all__ = ["operator"]  # a fixture


class TestSubscriptions:
    async def test_are_counted_by_source_and_plan(
        self, operator: Visitor, database: Database
    ) -> None:
        await keep(
            database,
            entitlement("ada", Source.IOS, NOW + HOUR),
            entitlement("bob", Source.WEB, NOW - HOUR),  # over by the clock
            purchase(),
            purchase(list_price_minor=999, period="P1M"),
            purchase(list_price_minor=None, currency=None),
            purchase(PurchaseState.TRIALING),
            purchase(PurchaseState.EXPIRED),
            purchase(environment=Environment.SANDBOX),
        )
        await tell(
            database,
            ago(1, name=EventName.SUBSCRIPTION_ACTIVATED, status=None),
            ago(1, name=EventName.SUBSCRIPTION_ENDED, status=None),
        )

        told = await asked(operator, f"{ADMIN}/subscriptions")

        found = told["subscriptions"]
        assert (found["active"], found["trialing"]) == (1, 1)
        assert found["by_source"] == {"ios": 1, "android": 0, "web": 0}
        assert found["by_plan"] == [{"plan_id": "pro", "active": 1, "mrr_usd": "44.97"}]
        assert found["mrr"] == [
            {"currency": "eur", "amount": "19.98"},
            {"currency": "usd", "amount": "14.99"},
        ]
        assert (told["churn_rate"]["numerator"], told["churn_rate"]["denominator"]) == (1, 1)
        dashboard = await asked(operator, f"{ADMIN}/dashboard")
        assert [
            (each["source"], each["active_subscriptions"], each["active_share_pct"])
            for each in dashboard["subscription_sources"]
        ] == [("ios", 1, 100.0), ("android", 0, 0.0), ("web", 0, 0.0)]

    async def test_that_renew_or_end_within_a_week_are_told(
        self, operator: Visitor, database: Database
    ) -> None:
        day = 24 * HOUR
        await keep(
            database,
            purchase(renews_at=NOW + 3 * day, ends_at=NOW + 3 * day),
            purchase(ends_at=NOW + day),  # the store named no other moment
            purchase(renews_at=NOW + 8 * day, ends_at=NOW + day),
            purchase(renews_at=NOW - HOUR, ends_at=NOW - HOUR),
            purchase(will_renew=False, ends_at=NOW + 6 * day),
            purchase(will_renew=False, renews_at=NOW + day, ends_at=NOW + 7 * day),
            purchase(PurchaseState.EXPIRED, renews_at=NOW + day),
            purchase(renews_at=NOW + day, environment=Environment.SANDBOX),
        )

        told = (await asked(operator, f"{ADMIN}/dashboard"))["subscriptions"]

        assert (told["renewals_due_7d"], told["expirations_due_7d"]) == (2, 1)

    async def test_tell_how_trials_and_payments_ended(
        self, operator: Visitor, database: Database
    ) -> None:
        await keep(
            database,
            payment(0, paid=Paid.TRIAL, lineage_id="converted"),
            payment(1499, lineage_id="converted"),
            payment(0, paid=Paid.TRIAL, lineage_id="lost"),
            payment(0, paid=Paid.TRIAL, lineage_id="running", paid_at=NOW - HOUR / 4),
            payment(999, refunded=999),
            payment(1200, currency="JPY"),
        )

        told = await asked(operator, f"{ADMIN}/subscriptions")

        trials = told["trial_conversion"]
        assert (trials["numerator"], trials["denominator"], told["trials_running"]) == (1, 2, 1)
        refunds = told["refund_rate"]
        assert (refunds["numerator"], refunds["denominator"]) == (1, 3)
        assert told["revenue"] == [
            {"currency": "jpy", "amount": "1200.00"},
            {"currency": "usd", "amount": "14.99"},
        ]


class TestMargin:
    async def test_spreads_a_plans_revenue_over_its_renders(
        self, operator: Visitor, database: Database
    ) -> None:
        await keep(database, payment(1000), payment(200, plan_id=None, user_id="bob"))
        await tell(
            database,
            ago(1, credits=1),
            ago(1, credits=3, provider="openai", cost_micros=100_000),
            ago(1, status="failed", cost_micros=30_000),
        )

        told = await asked(operator, f"{ADMIN}/margin", by="provider")

        openai, fal = told["items"]
        assert (openai["key"], openai["revenue"], openai["provider_cost"]) == (
            "openai",
            "9.00",
            "0.10",
        )
        assert (fal["key"], fal["revenue"], fal["provider_cost"], fal["margin"]) == (
            "fal",
            "3.00",
            "0.05",
            "2.86",  # 3 % are the payment service's
        )
        total = told["total"]
        assert (total["revenue"], total["payment_fees"], total["provider_cost"]) == (
            "12.00",
            "0.36",
            "0.15",
        )
        assert (total["completed"], total["per_render"]["margin"]) == (2, "5.745")

    async def test_names_plans_that_nobody_rendered_with(
        self, operator: Visitor, database: Database
    ) -> None:
        await keep(database, payment(1000))

        plan = (await asked(operator, f"{ADMIN}/margin"))["items"][0]
        (rest,) = (await asked(operator, f"{ADMIN}/margin", by="tier"))["items"]

        assert (plan["key"], plan["revenue"], plan["per_render"]) == ("pro", "10.00", None)
        assert (rest["key"], rest["revenue"]) == ("", "10.00")

    async def test_of_users_comes_in_pages(
        self, operator: Visitor, database: Database, studio: Studio, clock: Hands
    ) -> None:
        await keep(database, payment(1000, source=Source.IOS))
        await tell(database, ago(2), ago(2, user_id="bob"), ago(3, user_id="eve", status="failed"))
        await rolled(studio)

        first = await asked(operator, f"{ADMIN}/margin", by="user", limit=2)
        clock.advance(timedelta(seconds=5))
        rest = await asked(
            operator, f"{ADMIN}/margin", by="user", limit=2, cursor=first["next_cursor"]
        )

        ada, bob = first["items"]
        assert (ada["key"], ada["revenue"], ada["payment_fees"]) == ("ada", "10.00", "1.50")
        assert (ada["margin"], bob["key"], bob["margin"]) == ("8.48", "bob", "-0.02")
        (eve,) = rest["items"]
        assert (eve["key"], eve["renders"], eve["completed"]) == ("eve", 1, 0)
        assert (rest["window"], rest["next_cursor"]) == (first["window"], None)

    async def test_refuses_a_cursor_that_is_not_ours(self, operator: Visitor) -> None:
        for cursor in ("x", "WyJ4IiwgInkiXQ"):
            answer = await operator.get(f"{ADMIN}/margin", params={"by": "user", "cursor": cursor})
            assert (answer.status_code, answer.json()) == (400, {"detail": "invalid_cursor"})
