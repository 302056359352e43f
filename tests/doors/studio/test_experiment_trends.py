"""An operator asks how an experiment came to where it is."""

from tests.doors.studio.experiment_watching import EXPERIMENTS, get, made, operator
from tests.doors.studio.visitor import Visitor

__all__ = ["operator"]  # a fixture


class TestTrends:
    async def test_gives_six_hours_in_three_points(self, operator: Visitor) -> None:
        await made(operator)

        told = await get(operator, "/paywall/trends", hours=6, bucket_hours=2)

        assert (told["window_hours"], told["bucket_hours"]) == (6, 2)
        assert [each["variant_id"] for each in told["variants"]] == ["control", "after"]
        assert [
            [(point["bucket_start"], point["bucket_end"]) for point in each["points"]]
            for each in told["variants"]
        ] == [
            [
                ("2026-11-24T06:00:00Z", "2026-11-24T08:00:00Z"),
                ("2026-11-24T08:00:00Z", "2026-11-24T10:00:00Z"),
                ("2026-11-24T10:00:00Z", "2026-11-24T12:00:00Z"),
            ]
        ] * 2
        assert told["variants"][0]["points"][0] == {
            "bucket_start": "2026-11-24T06:00:00Z",
            "bucket_end": "2026-11-24T08:00:00Z",
            "assigned_users": 0,
            "new_users": 0,
            "render_events": 0,
            "render_success_rate": 0.0,
            "avg_latency_ms": None,
            "total_cost_usd": 0.0,
            "preview_users": 0,
            "final_users": 0,
            "preview_to_final_rate": 0.0,
            "checkout_started_users": 0,
            "paid_activations": 0,
            "paid_activation_rate": 0.0,
            "primary_metric_value": 0.0,
            "cumulative_primary_metric_value": 0.0,
            "cumulative_lift_pct": None,
            "cumulative_sequential_p_value": None,
        }

    async def test_is_refused_politely(self, operator: Visitor) -> None:
        await made(operator)

        many = await operator.get(
            f"{EXPERIMENTS}/paywall/trends", params={"hours": 1440, "bucket_hours": 1}
        )
        unknown = await operator.get(f"{EXPERIMENTS}/nothing/trends")

        assert (many.status_code, many.json()) == (400, {"detail": "too_many_buckets"})
        assert (unknown.status_code, unknown.json()) == (404, {"detail": "experiment_not_found"})
