"""Guardrails on an operator's word, with the words that dashboards know."""

import pytest

from tests.domain.experiments.stage import Stage
from tests.doors.studio.experiment_desk import BASE, SUCCESS, asked, breaching, root, stage
from tests.doors.studio.visitor import Visitor

__all__ = ["root", "stage"]  # fixtures
EVALUATE = "/guardrails/evaluate"


class TestEvaluate:
    async def test_tells_all_that_dashboards_read(self, root: Visitor, stage: Stage) -> None:
        await breaching(stage)

        told = await asked(root, EVALUATE, dry_run=False)

        assert told == {
            "checked_at": "2026-11-24T12:00:00Z",
            "window_hours": 24,
            "dry_run": False,
            "required_streak": 2,
            "evaluated_count": 1,
            "breached_count": 1,
            "paused_count": 0,
            "evaluations": [
                {
                    "experiment_id": "x",
                    "name": "X",
                    "is_active": True,
                    "breached": True,
                    "paused": False,
                    "violation_streak": 1,
                    "required_streak": 2,
                    "skipped": False,
                    "skipped_reason": None,
                    "breach_count": 1,
                    "guardrails": SUCCESS,
                    "breaches": [
                        {
                            "metric_key": "render_success_rate",
                            "operator": ">=",
                            "threshold": 85.0,
                            "actual": 25.0,
                            "message": "render_success_rate is 25 for b, below 85",
                            "variant_id": "b",
                            "scope": "variant",
                            "control_actual": 100.0,
                        }
                    ],
                    "would_pause": False,
                }
            ],
        }

    async def test_is_dry_unless_told_otherwise(self, root: Visitor, stage: Stage) -> None:
        await breaching(stage)

        told = [await asked(root, EVALUATE) for _ in range(3)]

        assert {each["dry_run"] for each in told} == {True}
        assert {each["evaluations"][0]["violation_streak"] for each in told} == {1}

    async def test_pauses_and_says_who_and_why(self, root: Visitor, stage: Stage) -> None:
        await breaching(stage)
        query = {"dry_run": False, "actor": "eve", "reason": "an outage"}
        await asked(root, EVALUATE, **query)

        told = await asked(root, EVALUATE, **query)

        assert (told["paused_count"], told["evaluations"][0]["is_active"]) == (1, False)
        (entry,) = (
            await root.get(f"{BASE}/audit", params={"action": "experiment_paused_guardrail"})
        ).json()
        assert (entry["actor"], entry["reason"]) == ("eve", "an outage")
        assert entry["metadata"]["operator"] == "admin_token"
        shown = (await root.get(f"{BASE}/x")).json()
        assert (shown["is_active"], shown["guardrail_violation_streak"]) == (False, 2)
        assert shown["rollout_state"]["status"] == "paused"

    @pytest.mark.parametrize("hours", [0, 721])
    async def test_looks_back_so_far_and_no_further(self, root: Visitor, hours: int) -> None:
        answer = await root.post(BASE + EVALUATE, params={"hours": hours})

        assert answer.status_code == 422
