"""An operator asks how an experiment does."""

from datetime import timedelta
from typing import Any

from medici.domain.assignments.models import Assignment
from medici.kernel.db.database import Database
from tests.doors.studio.experiment_watching import EXPERIMENTS, get, made, operator
from tests.doors.studio.relaying import relay
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW, Hands

__all__ = ["operator"]  # a fixture

ASSIGN = "/v1/experiments/assign"
LIKE_BEFORE = {
    "experiment_id",
    "name",
    "primary_metric",
    "generated_at",
    "window_hours",
    "control_variant_id",
    "significance_alpha",
    "minimum_sample_size",
    "total_assigned_users",
    "recommended_variant_id",
    "recommendation_reason",
    "variants",
}
OF_VARIANTS = {
    "variant_id",
    "assigned_users",
    "active_paid_users",
    "paid_conversion_rate",
    "checkout_started_users",
    "checkout_start_rate",
    "preview_users",
    "final_users",
    "preview_to_final_rate",
    "render_events",
    "render_success_rate",
    "avg_latency_ms",
    "p95_latency_ms",
    "total_cost_usd",
    "avg_cost_usd",
    "primary_metric_value",
    "primary_metric_successes",
    "primary_metric_trials",
    "paid_source_breakdown",
    "lift_vs_control_pct",
    "p_value",
    "statistically_significant",
}


async def assigned(visitor: Visitor, user_id: str) -> str:
    body = {"experiment_id": "paywall", "user_id": user_id}
    answer = await visitor.post(ASSIGN, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["variant_id"])


def of(told: dict[str, Any], variant_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in told["variants"] if each["variant_id"] == variant_id
    )
    return found


class TestPerformance:
    async def test_has_every_field_that_dashboards_read(self, operator: Visitor) -> None:
        await made(operator)

        told = await get(operator, "/paywall/performance")

        assert told.keys() >= LIKE_BEFORE
        assert all(each.keys() >= OF_VARIANTS for each in told["variants"])
        assert (told["generated_at"], told["window_hours"]) == ("2026-11-24T12:00:00Z", 168)
        assert (told["significance_alpha"], told["minimum_sample_size"]) == (0.05, 100)
        assert told["srm"] == {
            "p_value": 1.0,
            "sequential_p_value": 1.0,
            "detected": False,
            "observed": {"control": 0, "after": 0},
            "expected": {"control": 0.0, "after": 0.0},
        }
        assert of(told, "control")["test_method"] is None

    async def test_counts_what_a_relay_tells_of_purchases(
        self, operator: Visitor, ada: Visitor, bob: Visitor, clock: Hands
    ) -> None:
        await made(operator)
        variant_id = await assigned(ada, "ada")
        other_id = await assigned(bob, "bob")
        clock.advance(timedelta(hours=1))
        await relay(operator, "1", "storekit", user_id="ada")
        await relay(operator, "2", "google-play", user_id="bob", status="trialing")

        told = await get(operator, "/paywall/performance")

        paying = sum(each["active_paid_users"] for each in told["variants"])
        assert (paying, of(told, variant_id)["active_paid_users"]) == (1, 1)
        assert of(told, variant_id)["paid_source_breakdown"] == {"ios": 1}
        assert of(told, other_id)["assigned_users"] == (2 if variant_id == other_id else 1)
        assert told["total_assigned_users"] == 2

    async def test_leaves_out_who_had_bought_before(
        self, operator: Visitor, ada: Visitor, clock: Hands
    ) -> None:
        await made(operator)
        await relay(operator, "1", user_id="ada")
        clock.advance(timedelta(hours=1))
        variant_id = await assigned(ada, "ada")

        told = await get(operator, "/paywall/performance")

        assert told["already_paid_excluded"] == 1
        ours = of(told, variant_id)
        assert (ours["exposed_users"], ours["primary_metric_trials"]) == (1, 0)

    async def test_counts_a_checkout_that_was_begun_here(
        self, operator: Visitor, ada: Visitor, clock: Hands
    ) -> None:
        await made(operator)
        variant_id = await assigned(ada, "ada")
        clock.advance(timedelta(minutes=1))
        event = {"event_name": "checkout_session_started"}
        assert (await ada.post("/v1/analytics/events", json=event)).status_code == 200

        told = await get(operator, "/paywall/performance")

        assert of(told, variant_id)["checkout_started_users"] == 1

    async def test_is_refused_politely(self, operator: Visitor) -> None:
        unknown = await operator.get(f"{EXPERIMENTS}/nothing/performance")
        too_far = await operator.get(f"{EXPERIMENTS}/nothing/performance", params={"hours": 1441})

        assert (unknown.status_code, unknown.json()) == (404, {"detail": "experiment_not_found"})
        assert too_far.status_code == 422


class TestDashboard:
    async def test_tells_of_running_experiments(
        self, operator: Visitor, ada: Visitor, clock: Hands, database: Database
    ) -> None:
        await made(operator)
        variant_id = await assigned(ada, "ada")
        clock.advance(timedelta(hours=1))
        await relay(operator, "1", user_id="ada")
        async with database.transaction() as session:
            told_once = await session.get_one(Assignment, ("paywall", "ada"))
            assert told_once.first_exposed_at == NOW

        answer = await operator.get("/v1/admin/analytics/dashboard")

        (told,) = answer.json()["experiment_breakdown"]
        assert answer.json()["experiments"] == [told]
        assert (told["experiment_id"], told["name"]) == ("paywall", "Paywall timing")
        assert (told["is_active"], told["total_assigned_users"]) == (True, 1)
        assert (told["active_paid_users"], told["paid_conversion_rate"]) == (1, 100.0)
        ours = of(told, variant_id)
        assert {name: ours[name] for name in ("assigned_users", "active_paid_users")} == {
            "assigned_users": 1,
            "active_paid_users": 1,
        }
        assert (ours["id"], ours["rate"], ours["ci"]) == (variant_id, 100.0, [20.6549, 100.0])
        assert [each["p_value"] for each in told["variants"]] == [None, None]
