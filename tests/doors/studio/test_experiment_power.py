"""An operator asks how many users an experiment needs."""

import pytest

from tests.doors.studio.experiment_watching import EXPERIMENTS, get, made, operator
from tests.doors.studio.visitor import Visitor

__all__ = ["operator"]  # a fixture


class TestPower:
    async def test_tells_users_and_days_for_each_mode(self, operator: Visitor) -> None:
        told = await get(operator, "/power", baseline=5, mde_pct=20, users_per_day=1000)

        assert (told["baseline"], told["mde_pct"], told["variants"]) == (5.0, 20.0, 2)
        assert (told["alpha"], told["power"], told["primary_metric"]) == (0.05, 0.8, None)
        assert [
            (each["analysis_mode"], each["users_per_variant"], each["users"], each["days"])
            for each in told["required"]
        ] == [
            ("fixed", 8158, 16316, 17),
            ("group_sequential", 8626, 17252, 18),
            ("sequential", 18022, 36044, 37),
        ]

    async def test_asks_more_of_several_challengers(self, operator: Visitor) -> None:
        two = await get(operator, "/power", baseline=5, mde_pct=20)
        three = await get(operator, "/power", baseline=5, mde_pct=20, variants=3)

        assert two["required"][0]["days"] is None
        assert all(
            more["users_per_variant"] > less["users_per_variant"]
            for more, less in zip(three["required"], two["required"], strict=True)
        )

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({}, "baseline_or_experiment_required"),
            ({"baseline": 0}, "baseline_out_of_range"),
            ({"baseline": 100}, "baseline_out_of_range"),
            ({"baseline": 60, "mde_pct": 80}, "effect_out_of_reach"),
            ({"experiment_id": "paywall"}, "baseline_not_measured_yet"),
            ({"experiment_id": "latency"}, "metric_is_not_tested"),
        ],
    )
    async def test_says_why_it_cannot_tell(
        self, operator: Visitor, query: dict[str, str], code: str
    ) -> None:
        await made(operator)
        await made(operator, of="latency", primary_metric="p95_latency_ms")

        answer = await operator.get(f"{EXPERIMENTS}/power", params=query)

        assert (answer.status_code, answer.json()) == (400, {"detail": code})

    async def test_is_found_before_an_experiment_of_that_name(self, operator: Visitor) -> None:
        answer = await operator.get(f"{EXPERIMENTS}/power", params={"experiment_id": "nothing"})

        assert (answer.status_code, answer.json()) == (404, {"detail": "experiment_not_found"})
