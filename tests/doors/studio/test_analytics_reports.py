"""What the operator's dashboards are told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from medici.adapters.payments.news import AuthMode, Ownership, Paid, PurchaseState, Source
from medici.domain.analytics.work import ROLLUP
from medici.domain.billing.models import (
    EntitlementRow,
    EntitlementStatus,
    Purchase,
    StoreTransaction,
)
from medici.domain.events.facts import EventName, Fact
from medici.domain.events.service import record
from medici.domain.identity.owner import OwnerKind
from medici.domain.identity.service import ensure_user
from medici.domain.plans.models import Variable
from medici.jobs.queue import enqueue
from medici.kernel.db.base import Base
from medici.kernel.db.database import Database
from medici.kernel.environment import Environment
from medici.kernel.ids import new_id
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW, Hands
from tests.support.studio import Studio

ADMIN = "/v1/admin/analytics"
HOUR = timedelta(hours=1)
RENDER = Fact(
    name=EventName.RENDER_STATUS_UPDATED,
    user_id="ada",
    platform="ios",
    provider="fal",
    model="flux",
    operation="restyle",
    tier="preview",
    status="completed",
    latency_ms=1_000,
    cost_micros=20_000,
    credits=1,
    plan_id="pro",
)


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    visitor = await visit("", admin_api_token=SecretStr("right"))
    visitor.client.headers["X-Admin-Token"] = "right"
    return visitor


async def tell(database: Database, *facts: Fact) -> None:
    async with database.transaction() as session:
        for fact in facts:
            await record(session, fact, now=NOW)


async def keep(database: Database, *rows: Base) -> None:
    async with database.transaction() as session:
        for user_id in ("ada", "bob"):
            await ensure_user(session, user_id=user_id, now=NOW)
        session.add_all(rows)


def ago(hours: float, **changes: Any) -> Fact:
    return replace(RENDER, occurred_at=NOW - hours * HOUR, **changes)


def payment(
    amount: int,
    *,
    user_id: str = "ada",
    plan_id: str | None = "pro",
    currency: str = "USD",
    refunded: int = 0,
    paid: Paid = Paid.PERIOD,
    lineage_id: str = "l1",
    paid_at: datetime = NOW - HOUR,
    source: Source = Source.WEB,
) -> StoreTransaction:
    return StoreTransaction(
        id=new_id(),
        source=source,
        environment=Environment.PRODUCTION,
        transaction_id=str(new_id()),
        lineage_id=lineage_id,
        user_id=user_id,
        product_id="product",
        plan_id=plan_id,
        pack_id=None if plan_id else "small",
        paid=paid,
        auth_mode=AuthMode.NATIVE,
        ownership=Ownership.PURCHASED,
        quantity=1,
        amount_minor=amount,
        currency=currency,
        refunded_minor=refunded,
        paid_at=paid_at,
        period_start=paid_at,
        period_end=paid_at + timedelta(minutes=30),
        details={},
        recorded_at=NOW,
    )


def purchase(state: PurchaseState = PurchaseState.ACTIVE, **changes: Any) -> Purchase:
    values: dict[str, Any] = {
        "id": new_id(),
        "user_id": "ada",
        "bound": True,
        "source": Source.IOS,
        "environment": Environment.PRODUCTION,
        "lineage_id": str(new_id()),
        "product_id": "product",
        "plan_id": "pro",
        "plan_price_cents": 1499,
        "state": state,
        "ownership": Ownership.PURCHASED,
        "started_at": NOW - HOUR,
        "lifetime": False,
        "will_renew": True,
        "list_price_minor": 11_988,
        "currency": "eur",
        "period": "P1Y",
        "auth_mode": AuthMode.NATIVE,
        "watermark": NOW,
        "watermark_event_id": "e",
        "details": {},
        "updated_at": NOW,
    }
    return Purchase(**{**values, **changes})


def entitlement(user_id: str, source: Source, expires_at: datetime | None) -> EntitlementRow:
    return EntitlementRow(
        owner_kind=OwnerKind.USER,
        owner_id=user_id,
        plan_id="pro",
        status=EntitlementStatus.ACTIVE,
        source=source,
        expires_at=expires_at,
        details={},
        updated_at=NOW,
    )


async def asked(operator: Visitor, path: str, **params: Any) -> Any:
    answer = await operator.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def rolled(studio: Studio) -> None:
    """Have the rollup's turn come."""
    async with studio.database.transaction() as session:
        await enqueue(session, ROLLUP, now=studio.clock(), args={})
    await studio.work()


MIXED: Sequence[Fact] = (
    ago(1),
    ago(2, latency_ms=3_000, tier="final", cost_micros=40_000),
    ago(3, status="failed", error_code="moderated", latency_ms=2_000, cost_micros=None),
    ago(4, provider="openai", latency_ms=6_000, platform="web"),
    ago(5, status="canceled", name=EventName.RENDER_CANCELED, latency_ms=9_000),
    ago(1, name=EventName.RENDER_DISPATCHED, status="queued", latency_ms=None, cost_micros=None),
    ago(1, trusted=False, latency_ms=90_000, cost_micros=10**9),
    ago(26, status="failed"),
)


class TestOverview:
    async def test_counts_finished_renders(self, operator: Visitor, database: Database) -> None:
        await tell(database, *MIXED)

        told = await asked(operator, f"{ADMIN}/overview", hours=24)

        assert told["total_events"] == 7
        assert (told["render_events"], told["render_success"], told["render_failed"]) == (6, 3, 1)
        assert told["render_success_rate"] == 75.0
        assert (told["avg_latency_ms"], told["p95_latency_ms"]) == (3000.0, 6000)
        assert told["total_cost_usd"] == 0.1
        assert told["provider_event_counts"] == {"fal": 5, "openai": 1}
        assert told["provider_success_rate"] == {"fal": 66.67, "openai": 100.0}
        assert told["latency_ms"]["method"] == "exact"
        assert told["success"] == {
            "numerator": 3,
            "denominator": 4,
            "percent": 75.0,
            "ci": [30.0642, 95.4413],
        }

    async def test_without_hours_counts_everything(
        self, operator: Visitor, database: Database
    ) -> None:
        await tell(database, *MIXED)
        assert (await asked(operator, f"{ADMIN}/overview"))["render_failed"] == 2

    async def test_of_nothing_is_zeroes(self, operator: Visitor) -> None:
        told = await asked(operator, f"{ADMIN}/overview")
        assert (told["total_events"], told["render_success_rate"]) == (0, 0.0)
        assert (told["success"]["percent"], told["success"]["ci"]) == (None, None)


class TestDashboard:
    async def test_has_every_key_beside_the_hours_before(
        self, operator: Visitor, database: Database
    ) -> None:
        await tell(database, *MIXED)

        told = await asked(operator, f"{ADMIN}/dashboard", hours=24)

        assert told["window"] == {
            "from": "2026-11-23T12:00:00Z",
            "to": "2026-11-24T12:00:00Z",
            "hours": 24,
            "previous": {"from": "2026-11-22T12:00:00Z", "to": "2026-11-23T12:00:00Z"},
        }
        assert {
            "generated_at",
            "summary",
            "provider_breakdown",
            "operation_breakdown",
            "platform_breakdown",
            "status_breakdown",
            "credits",
            "subscriptions",
            "subscription_sources",
            "queue",
            "funnel",
            "experiment_breakdown",
            "alerts",
        } <= told.keys()
        assert told["summary"]["render_success"] == 3
        assert told["previous"]["summary"]["render_failed"] == 1
        assert [
            (each["provider"], each["render_success"]) for each in told["provider_breakdown"]
        ] == [
            ("fal", 2),
            ("openai", 1),
        ]
        health = told["render_health"]
        assert (health["total"], health["completed"], health["cancelled"]) == (5, 3, 1)
        assert health["by_provider"][0]["error_codes"] == [{"code": "moderated", "count": 1}]
        assert health["by_type"]["final"]["completed"] == 1
        assert health["preview_to_final_rate"]["percent"] == 50.0
        assert health["cost"]["total"] == [{"currency": "usd", "amount": "0.10"}]
        assert told["experiments"] == told["experiment_breakdown"] == []

    async def test_says_the_same_once_it_is_rolled_up(
        self, operator: Visitor, database: Database, studio: Studio
    ) -> None:
        await tell(database, *MIXED)
        before = await asked(operator, f"{ADMIN}/dashboard", hours=48)

        await rolled(studio)

        after = await asked(operator, f"{ADMIN}/dashboard", hours=48)
        assert (before["freshness"]["rollup_lag_s"], after["freshness"]["rollup_lag_s"]) == (
            None,
            0.0,
        )
        assert {**before, "freshness": None} == {**after, "freshness": None}

    async def test_alerts_by_the_operators_variables(
        self, operator: Visitor, database: Database
    ) -> None:
        slow = [ago(1, latency_ms=20_000, cost_micros=500_000)] * 15
        await tell(database, *slow, *[ago(1, status="failed", latency_ms=1)] * 5)

        told = await asked(operator, f"{ADMIN}/dashboard")

        found = {alert["code"]: alert for alert in told["alerts"]}
        assert found.keys() == {
            "render_success_rate_low",
            "render_latency_high",
            "render_cost_high",
            "provider_success_low",
        }
        assert found["render_success_rate_low"]["severity"] == "critical"
        assert found["render_success_rate_low"]["current_value"] == 75.0
        assert found["provider_success_low"]["provider"] == "fal"

        limits = {"min_success_rate_pct": 70, "max_p95_latency_ms": 30_000, "max_avg_cost_usd": 1.0}
        await keep(
            database,
            *(
                Variable(key=f"analytics_alert_{key}", value=value, updated_at=NOW)
                for key, value in limits.items()
            ),
        )
        assert (await asked(operator, f"{ADMIN}/dashboard"))["alerts"] == []

    async def test_of_few_renders_raises_no_alarm(
        self, operator: Visitor, database: Database
    ) -> None:
        await tell(database, *[ago(1, status="failed", provider="")] * 19)
        assert (await asked(operator, f"{ADMIN}/dashboard"))["alerts"] == []

    async def test_counts_what_is_waiting(
        self, operator: Visitor, ada: Visitor, clock: Hands
    ) -> None:
        await ada.order()
        clock.advance(timedelta(seconds=30))

        queue = (await asked(operator, f"{ADMIN}/dashboard"))["queue"]

        assert queue["depth"] == {"queued": 1, "running": 0}
        assert (queue["oldest_queued_age_s"], queue["arrival_per_min"]) == (30.0, 0.2)

    @pytest.mark.parametrize("hours", ["0", "2161", "x"])
    async def test_looks_back_ninety_days_at_most(self, operator: Visitor, hours: str) -> None:
        answer = await operator.get(f"{ADMIN}/dashboard", params={"hours": hours})
        assert answer.status_code == 422


class TestProvidersHealth:
    async def test_weighs_success_against_speed(
        self, operator: Visitor, database: Database
    ) -> None:
        await tell(database, *MIXED)

        told = await asked(operator, "/v1/admin/providers/health", hours=24)

        fal, openai = told["fal"], told["openai"]
        assert (fal["total_events"], fal["failed_events"], fal["success_rate"]) == (3, 1, 66.67)
        assert (fal["avg_latency_ms"], fal["health_score"]) == (2000.0, 76.67)
        # 6,000 ms are 3,500 too many, hence 46.67 points of 100 for speed.
        assert openai["health_score"] == 86.0


class TestFunnelAndRetention:
    async def test_follow_actors(self, operator: Visitor, database: Database) -> None:
        await tell(
            database,
            Fact(name="app_opened", user_id="ada", occurred_at=NOW - 3 * HOUR, trusted=False),
            ago(2),
            Fact(name="app_opened", user_id="bob", occurred_at=NOW - 3 * HOUR, trusted=False),
        )

        told = await asked(
            operator, f"{ADMIN}/funnel", steps="app_opened, render_preview_completed"
        )

        first, second = told["steps"]
        assert (first["actors"], second["actors"], second["median_s"]) == (2, 1, 3600.0)
        assert second["step"]["percent"] == 50.0

    @pytest.mark.parametrize("steps", ["app_opened", "a,B c", ",".join(["a"] * 21)])
    async def test_take_two_to_twenty_names(self, operator: Visitor, steps: str) -> None:
        answer = await operator.get(f"{ADMIN}/funnel", params={"steps": steps})
        assert (answer.status_code, answer.json()) == (422, {"detail": "invalid_query"})

    async def test_lay_out_cohorts(
        self, operator: Visitor, database: Database, studio: Studio
    ) -> None:
        visits = [NOW - 48 * HOUR, NOW - 24 * HOUR, NOW - HOUR]
        await tell(
            database,
            *(Fact(name="app_opened", user_id="ada", occurred_at=at) for at in visits),
        )
        await rolled(studio)

        told = await asked(operator, f"{ADMIN}/retention", unit="day", tz="UTC", buckets=3)

        oldest = told["cohorts"][0]
        assert (oldest["cohort"], oldest["actors"]) == ("2026-11-22", 1)
        assert [(cell["n"], cell["partial"]) for cell in oldest["cells"]] == [
            (0, False),
            (1, False),
            (2, True),
        ]

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", ""])
    async def test_know_time_zones(self, operator: Visitor, zone: str) -> None:
        answer = await operator.get(f"{ADMIN}/retention", params={"tz": zone})
        assert (answer.status_code, answer.json()) == (422, {"detail": "unknown_time_zone"})


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
