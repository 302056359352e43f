"""The automation on an operator's word, and what it has done."""

import asyncio

import pytest

from medici.domain.experiments.service.automation import NAME
from medici.kernel.db.exclusive import exclusively
from tests.domain.experiments.stage import Stage
from tests.doors.studio.experiment_desk import BASE, asked, breaching, root, stage, won
from tests.doors.studio.visitor import Visitor

__all__ = ["root", "stage"]  # fixtures
RUN, HISTORY = "/automation/run", f"{BASE}/automation/history"


class TestRun:
    async def test_tells_both_steps(self, root: Visitor, stage: Stage) -> None:
        await breaching(stage, "a")
        await won(stage)

        told = await asked(root, RUN, dry_run=False, rollout_limit=5)

        assert set(told) == {
            "run_id",
            "checked_at",
            "dry_run",
            "window_hours",
            "rollout_limit",
            "duration_ms",
            "guardrails",
            "rollouts",
            "errors",
        }
        assert (told["checked_at"], told["window_hours"]) == ("2026-11-24T12:00:00Z", 168)
        assert (told["rollout_limit"], told["errors"]) == (5, [])
        assert told["guardrails"]["breached_count"] == 1
        assert told["rollouts"]["applied_count"] == 1
        assert told["rollouts"]["results"][0]["experiment_id"] == "a"

    async def test_is_refused_while_another_runs(self, root: Visitor, stage: Stage) -> None:
        async with exclusively(stage.database, NAME):
            answer = await root.post(BASE + RUN)

        assert (answer.status_code, answer.json()) == (
            409,
            {"detail": "automation_already_running"},
        )
        assert (await root.get(HISTORY)).json() == []

    async def test_runs_once_when_asked_for_at_once(self, root: Visitor, stage: Stage) -> None:
        await won(stage)

        answers = await asyncio.gather(
            *(root.post(BASE + RUN, params={"dry_run": False}) for _ in range(3))
        )

        assert {answer.status_code for answer in answers} <= {200, 409}
        assert (await stage.stored())[1].rollout_percent == 10
        assert len(await stage.audited("experiment_rollout_applied")) == 1

    @pytest.mark.parametrize("query", [{"hours": 1441}, {"rollout_limit": 0}, {"dry_run": "?"}])
    async def test_takes_what_makes_sense(self, root: Visitor, query: dict[str, object]) -> None:
        assert (await root.post(BASE + RUN, params=query)).status_code == 422


class TestHistory:
    async def test_holds_every_run_newest_first(self, root: Visitor, stage: Stage) -> None:
        await won(stage)
        first = await asked(root, RUN, actor="eve", reason="a look")
        second = await asked(root, RUN, dry_run=False)

        entries = (await root.get(HISTORY)).json()

        assert [each["metadata"]["run_id"] for each in entries] == [
            second["run_id"],
            first["run_id"],
        ]
        assert (entries[1]["actor"], entries[1]["reason"]) == ("eve", "a look")
        assert entries[1]["action"] == "experiment_automation_run"
        assert entries[0]["created_at"] == "2026-11-24T12:00:00Z"
        counts = entries[0]["metadata"]["rollouts"]
        assert (counts["applied_count"], counts["blocked_count"]) == (1, 0)
        assert entries[0]["metadata"]["guardrails"]["paused_count"] == 0
        assert len((await root.get(HISTORY, params={"limit": 1})).json()) == 1

    @pytest.mark.parametrize("limit", [0, 501])
    async def test_is_told_in_part(self, root: Visitor, limit: int) -> None:
        assert (await root.get(HISTORY, params={"limit": limit})).status_code == 422
