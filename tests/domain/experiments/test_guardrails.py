"""Pausing what harms, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from medici.domain.assignments.models import ExperimentStatus, RolloutStatus
from medici.domain.experiments.service.guarding import Evaluation, GuardrailRun, guard_all
from medici.kernel.db.database import Database
from tests.domain.experiments.stage import HOUR, Stage

SUCCESS = {"render_success_rate_min": 85}


@pytest.fixture
def stage(database: Database) -> Stage:
    return Stage(database=database)


async def guarded(stage: Stage, **look: Any) -> GuardrailRun:
    return await guard_all(stage.openings, stage.look(**look), act=stage.act)


async def one(stage: Stage, **look: Any) -> Evaluation:
    (evaluation,) = (await guarded(stage, **look)).evaluations
    return evaluation


async def breaching(stage: Stage, **columns: Any) -> list[str]:
    """Set up an experiment whose variant b breaches its guardrail."""
    await stage.experiment(guardrails=SUCCESS, **columns)
    good, bad = await stage.users("control", 40), await stage.users("b", 40)
    await stage.renders(good)
    await stage.renders(bad[:30], "failed")
    await stage.renders(bad[30:])
    return bad


class TestGuardAll:
    async def test_counts_running_experiments_with_guardrails(self, stage: Stage) -> None:
        await stage.experiment("bare")
        await stage.experiment("paused", guardrails=SUCCESS, status=ExperimentStatus.PAUSED)
        await breaching(stage)

        run = await guarded(stage)

        assert [each.experiment_id for each in run.evaluations] == ["x"]
        assert (run.breached_count, run.paused_count, run.required_streak) == (1, 0, 2)

    async def test_pauses_at_the_second_breach_in_a_row(self, stage: Stage) -> None:
        await breaching(stage)

        first = await one(stage)
        stage.now += HOUR
        second = await one(stage)

        assert (first.violation_streak, first.paused, first.is_active) == (1, False, True)
        assert (second.violation_streak, second.paused, second.is_active) == (2, True, False)
        experiment, runtime = await stage.stored()
        assert (experiment.status, experiment.revision) == (ExperimentStatus.PAUSED, 2)
        assert experiment.updated_at == stage.now
        assert runtime.rollout_status is RolloutStatus.PAUSED
        (metadata,) = await stage.audited("experiment_paused_guardrail")
        assert metadata == runtime.guardrail_pause
        assert metadata["breaches"] == [
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
        ]
        assert (await guarded(stage)).evaluations == []

    async def test_writes_nothing_in_a_dry_run(self, stage: Stage) -> None:
        await breaching(stage)
        await stage.shift(violation_streak=1)
        before = await stage.stored()

        dry = await one(stage, dry_run=True)

        assert (dry.violation_streak, dry.would_pause, dry.paused) == (2, True, False)
        experiment, runtime = await stage.stored()
        assert (experiment.revision, experiment.status) == (1, ExperimentStatus.RUNNING)
        assert runtime.violation_streak == before[1].violation_streak
        assert runtime.guardrails_checked_at is None
        assert await stage.audited("experiment_paused_guardrail") == []

    async def test_forgets_breaches_once_clear_and_keeps_them_while_skipped(
        self, stage: Stage
    ) -> None:
        bad = await breaching(stage)
        await one(stage)
        await stage.change(guardrails={**SUCCESS, "render_events_min": 1000})
        skipped = await one(stage)
        _, runtime = await stage.stored()
        dry = await one(stage, dry_run=True)
        await stage.change(guardrails=SUCCESS)
        await stage.renders(bad, times=10)
        clear = await one(stage)

        assert skipped.verdict.skipped_reason == "render_events_below_min(80 < 1000)"
        assert (skipped.violation_streak, dry.violation_streak) == (1, 1)
        assert (runtime.violation_streak, runtime.guardrails_breached) == (1, None)
        assert (clear.violation_streak, clear.verdict.breached) == (0, False)
        _, runtime = await stage.stored()
        assert (runtime.violation_streak, runtime.guardrails_breached) == (0, False)
        assert runtime.guardrails_checked_at == stage.now

    async def test_pauses_at_once_where_one_breach_is_enough(self, stage: Stage) -> None:
        await stage.tune("experiment_guardrail_consecutive_runs_required", 1)
        await breaching(stage)

        assert (await one(stage)).paused

    async def test_keeps_a_completed_ladder_as_it_is(self, stage: Stage) -> None:
        await stage.tune("experiment_guardrail_consecutive_runs_required", 1)
        await breaching(stage)
        await stage.shift(
            rollout_status=RolloutStatus.COMPLETED, rollout_percent=100, winner_variant_id="b"
        )

        assert (await one(stage)).paused
        _, runtime = await stage.stored()
        assert (runtime.rollout_status, runtime.rollout_percent) == (RolloutStatus.COMPLETED, 100)

    async def test_lets_bad_luck_pass_in_confident_mode(self, stage: Stage) -> None:
        await stage.tune("experiment_guardrail_mode", "confident")
        await stage.experiment(guardrails=SUCCESS)
        users = await stage.users("b", 60)
        await stage.renders(users[:49])
        await stage.renders(users[49:], "failed")

        evaluation = await one(stage)

        assert not evaluation.verdict.breached

    async def test_goes_on_after_one_that_cannot_be_judged(self, stage: Stage) -> None:
        await stage.experiment("a", guardrails={"happiness_min": 1})
        await breaching(stage)

        broken, breached = (await guarded(stage)).evaluations

        assert broken.verdict.skipped_reason == "error:unknown_guardrail"
        assert breached.verdict.breached

    async def test_does_not_count_one_run_twice(self, stage: Stage) -> None:
        await breaching(stage)
        began = stage.now
        await one(stage)
        stage.now += timedelta(minutes=2)

        again = await one(stage, begun_at=began)

        assert (again.violation_streak, again.paused) == (1, False)
