"""How an experiment came to where it is."""

import pytest

from medici.domain.assignments.models import Experiment
from medici.domain.events.facts import Fact
from medici.domain.experiments.analysis.errors import TooManyBuckets
from medici.domain.experiments.analysis.trends import TrendPoint, Trends, slots_of, trends
from tests.domain.experiments.analysis.lab import (
    DAY,
    HOUR,
    NOW,
    PAID,
    POLICY,
    RENDERED,
    Lab,
    crowd,
    figure_of,
)


async def followed(lab: Lab, *, hours: int = 6, bucket_hours: int = 2) -> Trends:
    async with lab.database.reading() as session:
        experiment = await session.get_one(Experiment, "paywall")
        return await trends(
            session, experiment, policy=POLICY, hours=hours, bucket_hours=bucket_hours, now=NOW
        )


def points_of(told: Trends, variant_id: str) -> list[TrendPoint]:
    return list(next(each.points for each in told.variants if each.variant_id == variant_id))


class TestTrends:
    async def test_gives_six_hours_in_buckets_of_two_three_points(self, lab: Lab) -> None:
        await lab.set_up()

        told = await followed(lab)

        assert [each.variant_id for each in told.variants] == ["control", "after"]
        for variant in told.variants:
            assert [point.bucket_start for point in variant.points] == [
                NOW - 6 * HOUR,
                NOW - 4 * HOUR,
                NOW - 2 * HOUR,
            ]
            assert [point.bucket_end for point in variant.points] == [
                NOW - 4 * HOUR,
                NOW - 2 * HOUR,
                NOW,
            ]
            first = variant.points[0]
            assert (first.assigned_users, first.render_events, first.primary_metric_value) == (
                0,
                0,
                0.0,
            )
            assert (first.avg_latency_ms, first.cumulative_lift_pct) == (None, None)

    async def test_the_last_bucket_may_be_short(self, lab: Lab) -> None:
        await lab.set_up()

        points = points_of(await followed(lab, hours=5), "after")

        assert [point.bucket_end for point in points] == [NOW - 3 * HOUR, NOW - HOUR, NOW]

    async def test_puts_everything_where_it_happened(self, lab: Lab) -> None:
        await lab.set_up()
        await lab.assign("after", "old", exposed_at=NOW - DAY)
        await lab.assign("after", "ada", exposed_at=NOW - 4 * HOUR)
        await lab.tell(RENDERED, "old", at=NOW - 7 * HOUR)
        await lab.tell(RENDERED, "old", at=NOW - 6 * HOUR)
        await lab.tell(RENDERED, "ada", at=NOW - 5 * HOUR)  # not exposed yet
        await lab.tell(RENDERED, "ada", "ada", at=NOW - 4 * HOUR)
        await lab.tell(RENDERED, "ada", at=NOW - 3 * HOUR, status="failed", latency_ms=1_000)
        await lab.tell(Fact(name="checkout_started"), "ada", "old", at=NOW - HOUR)
        await lab.tell(PAID, "ada", at=NOW - HOUR)

        points = points_of(await followed(lab), "after")

        assert [point.assigned_users for point in points] == [1, 2, 2]
        assert [point.new_users for point in points] == [0, 1, 0]
        assert [point.render_events for point in points] == [1, 3, 0]
        assert [point.render_success_rate for point in points] == [100.0, 66.6667, 0.0]
        assert [point.avg_latency_ms for point in points] == [4_000.0, 3_000.0, None]
        assert [point.total_cost_usd for point in points] == [0.025, 0.075, 0.0]
        assert [point.preview_users for point in points] == [1, 1, 0]
        assert [point.checkout_started_users for point in points] == [0, 0, 2]
        assert [point.paid_activations for point in points] == [0, 0, 1]
        assert [point.paid_activation_rate for point in points] == [0.0, 0.0, 50.0]
        assert [point.primary_metric_value for point in points] == [0.0, 0.0, 50.0]

    @pytest.mark.parametrize(
        "key",
        [
            "paid_conversion_rate",
            "preview_to_final_rate",
            "render_success_rate",
            "renders_per_user",
            "avg_latency_ms_2d",
        ],
    )
    async def test_ends_where_the_performance_stands(self, lab: Lab, key: str) -> None:
        await lab.set_up(primary_metric=key)
        for variant_id, doing in (("control", 8), ("after", 14)):
            await lab.assign(variant_id, *crowd(variant_id, 20), exposed_at=NOW - 9 * HOUR)
            for hours, latency in ((8, 1_000), (5, 2_000), (3, 4_000), (1, 8_000)):
                at = NOW - hours * HOUR
                people = crowd(variant_id, doing, skip=hours)
                await lab.tell(RENDERED, *people, at=at, latency_ms=latency)
                await lab.tell(RENDERED, *people[:2], at=at, tier="final", latency_ms=500)
                await lab.tell(RENDERED, *people[:4], at=at, status="failed", latency_ms=700)
                await lab.tell(PAID, *people, at=at)

        last = points_of(await followed(lab), "after")[-1]
        after = figure_of(await lab.performance(), "after")

        assert last.cumulative_primary_metric_value == after.primary_metric_value
        assert last.cumulative_lift_pct == after.lift_vs_control_pct
        assert last.cumulative_sequential_p_value == pytest.approx(after.sequential_p_value)

    async def test_tells_the_percentile_of_each_bucket(self, lab: Lab) -> None:
        await lab.set_up(primary_metric="p95_latency_ms")
        await lab.assign("after", "ada", exposed_at=NOW - DAY)
        for latency_ms in (1_000, 2_000):
            await lab.tell(RENDERED, "ada", at=NOW - 3 * HOUR, latency_ms=latency_ms)
        await lab.tell(RENDERED, "ada", at=NOW - HOUR, latency_ms=7_000)

        points = points_of(await followed(lab), "after")

        assert [point.primary_metric_value for point in points] == [None, 1_950.0, 7_000.0]
        assert [point.cumulative_primary_metric_value for point in points] == [None] * 3


class TestSlotsOf:
    def test_takes_a_thousand_and_no_more(self) -> None:
        assert slots_of(1000, 1, now=NOW).count == 1000
        with pytest.raises(TooManyBuckets) as refused:
            slots_of(1001, 1, now=NOW)
        assert refused.value.code == "too_many_buckets"
