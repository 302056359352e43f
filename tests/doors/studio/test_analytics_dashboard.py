"""Everything at a glance."""

from datetime import timedelta

import pytest

from medici.domain.plans.models import Variable
from medici.kernel.db.database import Database
from tests.doors.studio.analytics_desk import ADMIN, MIXED, ago, asked, keep, operator, rolled, tell
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW, Hands
from tests.support.studio import Studio

__all__ = ["operator"]  # a fixture


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
