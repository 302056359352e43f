"""Guardrails and ladders in one run, one run at a time."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import ExperimentStatus
from medici.domain.experiments.service.automation import (
    NAME,
    Automation,
    AutomationAlreadyRunning,
    AutomationRun,
)
from medici.domain.notices.models import WebhookEndpoint, WebhookNotice
from medici.kernel.db.database import Database
from medici.kernel.db.exclusive import Taken, exclusively
from medici.kernel.ids import new_id
from tests.domain.experiments.stage import NOW, Stage

ENTRY = "experiment_automation_run"
SUCCESS = {"render_success_rate_min": 85}


@pytest.fixture
def stage(database: Database) -> Stage:
    return Stage(database=database)


async def ran(stage: Stage, *, limit: int = 200, **look: Any) -> AutomationRun:
    automation = Automation(
        database=stage.database, openings=stage.openings, clock=lambda: stage.now
    )
    return await automation.run(new_id(), stage.look(**look), rollout_limit=limit, act=stage.act)


async def won(stage: Stage, name: str = "x", **columns: Any) -> list[str]:
    """Set up an experiment whose variant b has won; give its users."""
    await stage.experiment(name, **columns)
    control = await stage.users("control", 120, experiment=name)
    b = await stage.users("b", 120, experiment=name)
    await stage.pay([*control[:20], *b[:48]])
    return [*control, *b]


async def harmful(stage: Stage, name: str = "x") -> None:
    """Set up one that has won, and whose renders fail."""
    await stage.renders(await won(stage, name, guardrails=SUCCESS), "failed")


class TestRun:
    async def test_does_not_roll_out_what_it_has_just_paused(self, stage: Stage) -> None:
        await stage.tune("experiment_guardrail_consecutive_runs_required", 1)
        await harmful(stage)
        await won(stage, "y")

        run = await ran(stage)

        assert [each.experiment_id for each in run.guardrails.evaluations] == ["x"]
        assert [each.experiment_id for each in run.rollouts.results] == ["y"]
        assert run.summary == {
            "guardrails": {"evaluated_count": 1, "breached_count": 1, "paused_count": 1},
            "rollouts": {"evaluated_count": 1, "applied_count": 1, "blocked_count": 0},
        }
        experiment, runtime = await stage.stored("x")
        assert (experiment.status, runtime.rollout_percent) == (ExperimentStatus.PAUSED, 0)

    async def test_blocks_the_ladder_of_what_it_has_warned(self, stage: Stage) -> None:
        await harmful(stage)

        run = await ran(stage)

        assert [each.blocked_reason for each in run.rollouts.results] == ["guardrail_breached"]

    async def test_writes_each_run_into_the_history(self, stage: Stage) -> None:
        await won(stage)

        dry = await ran(stage, dry_run=True)
        wet = await ran(stage, hours=48, limit=5)

        first, second = await stage.audited(ENTRY)
        assert (first["run_id"], first["dry_run"]) == (str(dry.run_id), True)
        assert second == {
            "run_id": str(wet.run_id),
            "dry_run": False,
            "window_hours": 48,
            "rollout_limit": 5,
            "duration_ms": 0,
            "guardrails": {"evaluated_count": 0, "breached_count": 0, "paused_count": 0},
            "rollouts": {
                "evaluated_count": 1,
                "applied_count": 1,
                "blocked_count": 0,
                "applied_experiment_ids": ["x"],
                "blocked_experiment_ids": [],
            },
            "applied_experiment_ids": ["x"],
            "blocked_experiment_ids": [],
            "errors": [],
        }

    async def test_changes_nothing_else_in_a_dry_run(self, stage: Stage) -> None:
        await harmful(stage)

        run = await ran(stage, dry_run=True)

        assert run.guardrails.breached_count == 1
        experiment, runtime = await stage.stored()
        assert (experiment.revision, runtime.violation_streak) == (1, 0)
        assert (runtime.guardrails_checked_at, runtime.rollout_evaluated_at) == (None, None)

    async def test_tells_what_could_not_be_evaluated(self, stage: Stage) -> None:
        await stage.experiment("a", guardrails={"happiness_min": 1})
        await stage.experiment("b", primary_metric="happiness")
        await won(stage)

        run = await ran(stage)

        assert [each.told() for each in run.errors] == [
            {"experiment_id": "a", "step": "guardrails", "code": "unknown_guardrail"},
            {"experiment_id": "b", "step": "rollout", "code": "unknown_primary_metric"},
        ]
        assert run.rollouts.applied == ["x"]

    async def test_lets_one_run_at_a_time(self, stage: Stage) -> None:
        await won(stage)

        outcomes = await asyncio.gather(*(ran(stage) for _ in range(4)), return_exceptions=True)

        done = [each for each in outcomes if isinstance(each, AutomationRun)]
        refused = [each for each in outcomes if isinstance(each, AutomationAlreadyRunning)]
        assert (len(done), len(refused)) == (1, 3)
        assert len(await stage.audited(ENTRY)) == 1
        assert (await stage.stored())[1].rollout_percent == 10

    async def test_makes_nobody_wait_once_it_has_failed(self, stage: Stage) -> None:
        async def fail(_session: AsyncSession) -> None:
            raise RuntimeError("a test")

        automation = Automation(
            database=stage.database,
            openings=stage.openings,
            clock=lambda: stage.now,
            closing=fail,
        )
        with pytest.raises(RuntimeError):
            await automation.run(new_id(), stage.look(), rollout_limit=1, act=stage.act)

        await ran(stage)
        assert len(await stage.audited(ENTRY)) == 1  # of the second; the first was taken back

    async def test_goes_on_with_a_run_that_was_interrupted(self, stage: Stage) -> None:
        await stage.tune("experiment_rollout_min_step_hours", 0)
        await harmful(stage)
        await won(stage, "y")
        began = stage.now
        await ran(stage)
        stage.now += timedelta(minutes=1)

        again = await ran(stage, begun_at=began)

        assert [each.violation_streak for each in again.guardrails.evaluations] == [1]
        assert again.rollouts.results == []
        assert (await stage.stored("y"))[1].rollout_percent == 10

    async def test_has_whoever_listens_told_of_a_pause_once(self, stage: Stage) -> None:
        await stage.tune("experiment_guardrail_consecutive_runs_required", 1)
        await harmful(stage)
        async with stage.database.transaction() as session:
            session.add(
                WebhookEndpoint(
                    id=new_id(),
                    url="https://hooks.example.com",
                    types=["experiment.paused"],
                    description="",
                    secret="sealed",
                    secret_last4="last",
                    created_at=NOW,
                    updated_at=NOW,
                )
            )

        await ran(stage)
        await ran(stage)

        async with stage.database.reading() as session:
            notices = (await session.scalars(select(WebhookNotice))).all()
        assert [(each.type, each.subject) for each in notices] == [
            ("experiment.paused", "experiment:x")
        ]
        assert '"rollout_percent":0' in notices[0].body

    async def test_tells_nobody_of_a_pause_that_did_not_happen(self, stage: Stage) -> None:
        await harmful(stage)

        await ran(stage, dry_run=True)

        async with stage.database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(WebhookNotice)) == 0


class TestExclusively:
    async def test_keeps_everybody_else_out(self, database: Database) -> None:
        async with exclusively(database, NAME):
            with pytest.raises(Taken):
                async with exclusively(database, NAME):
                    pass
            async with exclusively(database, "something else"):
                pass
        async with exclusively(database, NAME):
            pass
