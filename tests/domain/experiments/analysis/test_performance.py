"""How an experiment does, to the last digit."""

from datetime import timedelta

import pytest

from medici.domain.events.facts import Fact
from medici.domain.experiments.analysis.performance import as_json
from medici.domain.experiments.decisions import RecommendationCode, Standing
from tests.domain.experiments.analysis.lab import (
    DAY,
    EXPOSED,
    HOUR,
    NOW,
    PAID,
    RENDERED,
    Lab,
    crowd,
    figure_of,
    shares,
    variants,
)

CHECKOUT = Fact(name="checkout_started")
BIG = timedelta(hours=1440)


class TestPerformance:
    async def test_tells_20_of_120_against_48_of_120(self, lab: Lab) -> None:
        await lab.set_up()
        await lab.assign("control", *crowd("c", 120))
        await lab.assign("after", *crowd("a", 120))
        await lab.tell(PAID, *crowd("c", 20))
        await lab.tell(PAID, *crowd("a", 30))
        await lab.tell(PAID, *crowd("a", 48, skip=30), platform="web")
        await lab.tell(CHECKOUT, *crowd("a", 60), trusted=False)
        await lab.tell(RENDERED, *crowd("a", 90))
        await lab.tell(RENDERED, *crowd("a", 45), tier="final")

        told = await lab.performance()
        control, after = figure_of(told, "control"), figure_of(told, "after")

        assert told.total_assigned_users == 240
        assert (control.paid_conversion_rate, after.paid_conversion_rate) == (16.67, 40.0)
        assert (after.active_paid_users, after.checkout_started_users) == (48, 60)
        assert (after.checkout_start_rate, after.preview_to_final_rate) == (50.0, 50.0)
        assert (after.preview_users, after.final_users) == (90, 45)
        assert after.paid_source_breakdown == {"ios": 30, "web": 18}
        assert shares(told) == {"control": (20, 120), "after": (48, 120)}
        assert after.lift_vs_control_pct == 140.0
        assert after.p_value == pytest.approx(0.0000605, abs=5e-8)
        assert (after.metric_kind, after.test_method) == ("proportion", "two_proportion_z_pooled")
        assert (after.abs_diff, after.abs_diff_ci) == (23.3333, (12.0089, 33.8915))
        assert after.lift_ci_pct == pytest.approx((53.9, 280.2), abs=0.05)
        assert after.sequential_p_value == pytest.approx(0.0208, abs=5e-5)
        assert after.sequential_ci == (2.5698, 44.0968)
        assert after.p_value_adjusted == after.sequential_p_value
        assert after.statistically_significant
        assert after.sample_size_reached
        assert told.recommended_variant_id == "after"
        assert told.recommendation_code is RecommendationCode.WINNER
        assert (control.p_value, control.lift_vs_control_pct, control.abs_diff) == (None,) * 3
        assert (told.srm.p_value, told.srm.sequential_p_value) == (1.0, 1.0)
        assert (told.srm.observed, told.srm.expected) == (
            {"control": 120, "after": 120},
            {"control": 120.0, "after": 120.0},
        )
        assert (told.decision_window_hours, told.warnings) == (168, [])

    async def test_describes_renders(self, lab: Lab) -> None:
        await lab.set_up()
        await lab.assign("after", "ada", "bob")
        await lab.tell(RENDERED, "ada", latency_ms=1_000)
        await lab.tell(RENDERED, "ada", latency_ms=2_000, status="failed", cost_micros=10_000)
        await lab.tell(RENDERED, "bob", latency_ms=4_000)
        await lab.tell(RENDERED, "bob", status="canceled", latency_ms=None, cost_micros=None)
        await lab.tell(RENDERED, "bob", name="render_dispatched", status="queued")
        await lab.tell(RENDERED, "bob", trusted=False)

        after = figure_of(await lab.performance(), "after")

        assert (after.render_events, after.render_success_rate) == (4, 66.6667)
        assert (after.avg_latency_ms, after.p95_latency_ms) == (2333.33, 3800.0)
        assert (after.total_cost_usd, after.avg_cost_usd) == (0.06, 0.015)

    async def test_lists_variants_without_users(self, lab: Lab) -> None:
        await lab.set_up()

        told = await lab.performance()
        after = figure_of(told, "after")

        assert [each.variant_id for each in told.variants] == ["control", "after"]
        assert (after.assigned_users, after.paid_conversion_rate) == (0, 0.0)
        assert (after.primary_metric_value, after.primary_metric_trials) == (0.0, 0)
        assert (after.avg_latency_ms, after.p95_latency_ms, after.avg_cost_usd) == (None,) * 3
        assert (after.p_value, after.test_method) == (None, "not_estimable")
        assert told.recommendation_code is RecommendationCode.INSUFFICIENT_SAMPLE
        assert told.required_sample_per_variant is None

    async def test_ignores_what_happened_before_exposure_or_after_the_end(self, lab: Lab) -> None:
        await lab.set_up(primary_metric="event:shared")
        shared = Fact(name="shared", trusted=False)
        await lab.assign("control", "early", "in_time")
        await lab.assign("after", "late", "last", censored_at=EXPOSED + DAY)
        await lab.tell(shared, "early", at=EXPOSED - HOUR)
        await lab.tell(shared, "in_time", at=EXPOSED)
        await lab.tell(shared, "late", at=EXPOSED + DAY)
        await lab.tell(shared, "last", at=EXPOSED + DAY - HOUR)

        assert shares(await lab.performance()) == {"control": (1, 2), "after": (1, 2)}

    async def test_leaves_out_who_had_paid_already(self, lab: Lab) -> None:
        await lab.set_up()
        await lab.assign("control", "old", "new", "none")
        await lab.tell(PAID, "old", at=EXPOSED - 30 * DAY)
        await lab.tell(PAID, "old", at=EXPOSED + HOUR)
        await lab.tell(PAID, "new")

        told = await lab.performance()
        control = figure_of(told, "control")

        assert (told.already_paid_excluded, control.exposed_users) == (1, 3)
        assert shares(told)["control"] == (1, 2)
        assert (control.active_paid_users, control.paid_conversion_rate) == (1, 50.0)

    async def test_counts_only_those_who_take_part(self, lab: Lab) -> None:
        await lab.set_up()
        await lab.assign("control", "in")
        await lab.assign("control", "unseen", exposed_at=None)
        await lab.assign("control", "rollout", enrolled=False)
        await lab.assign("control", "earlier", phase=0)
        await lab.assign("control", "both", multiply_exposed=True)
        await lab.assign("control", "too_late", censored_at=EXPOSED - HOUR)
        await lab.assign("gone", "removed")

        told = await lab.performance()
        control = figure_of(told, "control")

        assert (control.assigned_users, control.exposed_users) == (4, 1)
        assert shares(told) == {"control": (0, 1), "after": (0, 0)}
        assert (told.multiple_exposure_users, told.total_assigned_users) == (1, 4)
        assert told.warnings == ["1 of 5 users saw several variants and are left out"]

    async def test_describes_a_window_and_decides_by_the_phase(self, lab: Lab) -> None:
        await lab.set_up()
        for variant_id, paying in (("control", 20), ("after", 48)):
            await lab.assign(variant_id, *crowd(variant_id, 120), exposed_at=NOW - 3 * DAY)
            await lab.tell(PAID, *crowd(variant_id, paying))
            await lab.assign(variant_id, f"new-{variant_id}", exposed_at=NOW - HOUR)

        told = await lab.performance(hours=24)
        after = figure_of(told, "after")

        assert shares(told) == {"control": (0, 1), "after": (0, 1)}
        assert (after.p_value, after.test_method) == (None, "not_estimable")
        assert (told.total_assigned_users, told.srm.observed["after"]) == (2, 121)
        assert told.recommendation_code is RecommendationCode.WINNER
        assert after.sequential_p_value is not None
        assert after.statistically_significant

    async def test_agrees_with_what_is_decided(self, lab: Lab) -> None:
        await lab.set_up(variants=variants("control", "after", "other"))
        for variant_id, paying in (("control", 60), ("after", 20), ("other", 62)):
            await lab.assign(variant_id, *crowd(variant_id, 150))
            await lab.tell(PAID, *crowd(variant_id, paying))

        told, decided = await lab.performance(), await lab.decided()

        assert decided.recommendation.code is told.recommendation_code
        assert decided.standings == {"after": Standing.WORSE, "other": Standing.OPEN}
        assert (decided.users, decided.srm_detected) == (450, False)
        assert decided.is_worse("after")
        worse, open_ = figure_of(told, "after"), figure_of(told, "other")
        assert worse.p_value_adjusted == pytest.approx(2 * (worse.sequential_p_value or 0))
        assert open_.p_value_adjusted == open_.sequential_p_value

    async def test_is_stored_as_it_is_sent(self, lab: Lab) -> None:
        await lab.set_up()
        await lab.assign("control", "ada")

        stored = as_json(await lab.performance())

        assert stored["generated_at"] == "2026-11-24T12:00:00Z"
        assert stored["recommendation_code"] == "insufficient_sample"
        assert isinstance(stored["variants"], list)
