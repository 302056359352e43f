"""Moving ladders on an operator's word, with the words that dashboards know."""

import pytest

from tests.domain.experiments.stage import Stage
from tests.doors.studio.experiment_desk import BASE, asked, root, stage, won
from tests.doors.studio.visitor import Visitor

__all__ = ["root", "stage"]  # fixtures
ONE, ALL = "/x/rollout/evaluate", "/rollout/evaluate-all"


class TestEvaluate:
    async def test_tells_all_that_dashboards_read(self, root: Visitor, stage: Stage) -> None:
        await won(stage)

        told = await asked(root, ONE)

        assert told == {
            "experiment_id": "x",
            "checked_at": "2026-11-24T12:00:00Z",
            "dry_run": True,
            "window_hours": 168,
            "winner_variant_id": "b",
            "recommendation_reason": told["recommendation_reason"],
            "guardrails_clear": True,
            "blocked_reason": None,
            "current_rollout_percent": 0,
            "next_rollout_percent": 10,
            "rollout_status": "rolling_out",
            "applied": False,
            "performance_total_assigned_users": 240,
            "minimum_sample_size": 100,
            "significance_alpha": 0.05,
            "next_step_not_before": None,
        }
        assert "b" in told["recommendation_reason"]

    async def test_takes_a_step_and_then_waits(self, root: Visitor, stage: Stage) -> None:
        await won(stage)

        told = await asked(root, ONE, dry_run=False, actor="eve")
        again = await asked(root, ONE, dry_run=False)

        assert (told["applied"], told["next_rollout_percent"]) == (True, 10)
        assert (again["applied"], again["blocked_reason"]) == (False, "step_dwell_not_elapsed")
        assert again["next_step_not_before"] == "2026-11-25T12:00:00Z"
        shown = (await root.get(f"{BASE}/x")).json()["rollout_state"]
        assert (shown["rollout_percent"], shown["winner_variant_id"]) == (10, "b")
        assert shown["history"][0]["actor"] == "eve"

    async def test_knows_no_other_experiments(self, root: Visitor) -> None:
        answer = await root.post(f"{BASE}/nonsense/rollout/evaluate")

        assert (answer.status_code, answer.json()) == (404, {"detail": "experiment_not_found"})

    @pytest.mark.parametrize("hours", [0, 1441])
    async def test_looks_back_so_far_and_no_further(self, root: Visitor, hours: int) -> None:
        assert (await root.post(BASE + ONE, params={"hours": hours})).status_code == 422


class TestEvaluateAll:
    async def test_tells_each_and_how_many(self, root: Visitor, stage: Stage) -> None:
        await won(stage)
        await stage.experiment("y")

        told = await asked(root, ALL, dry_run=False)

        counts = ("evaluated_count", "applied_count", "blocked_count")
        assert [told[name] for name in counts] == [2, 1, 1]
        assert [each["blocked_reason"] for each in told["results"]] == [
            None,
            "no_winner_recommendation",
        ]

    @pytest.mark.parametrize("limit", [0, 1001])
    async def test_looks_at_so_many_and_no_more(self, root: Visitor, limit: int) -> None:
        assert (await root.post(BASE + ALL, params={"limit": limit})).status_code == 422
