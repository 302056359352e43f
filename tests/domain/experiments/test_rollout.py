"""Handing a winner to everybody, and taking it back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.errors import ExperimentNotFound
from medici.domain.assignments.models import Assignment, ExperimentStatus, RolloutStatus
from medici.domain.experiments.service.looking import ExperimentMoved, Openings
from medici.domain.experiments.service.rollout import (
    RolloutEvaluation,
    RolloutRun,
    evaluate,
    evaluate_all,
)
from medici.domain.experiments.stats.srm import srm
from medici.kernel.db.database import Database
from tests.domain.experiments.stage import HOUR, NOW, Stage

DAY = timedelta(days=1)
SUCCESS = {"render_success_rate_min": 85}


@pytest.fixture
def stage(database: Database) -> Stage:
    return Stage(database=database)


async def won(stage: Stage, name: str = "x", **columns: Any) -> None:
    """Set up an experiment whose variant b has won."""
    await stage.experiment(name, **columns)
    await converted(stage, name, control=20, b=48)


async def converted(stage: Stage, name: str = "x", **paying: int) -> None:
    """Let 120 users of each variant come by, of whom so many pay."""
    for variant_id, many in paying.items():
        users = await stage.users(variant_id, 120, experiment=name)
        await stage.pay(users[:many])


async def looked(stage: Stage, name: str = "x", **look: Any) -> RolloutEvaluation:
    return await evaluate(stage.openings, name, stage.look(**look), act=stage.act)


async def all_looked(stage: Stage, limit: int = 200, **look: Any) -> RolloutRun:
    return await evaluate_all(stage.openings, stage.look(**look), limit=limit, act=stage.act)


def served(assignment: Assignment, percent: int) -> str:
    return "b" if assignment.rollout_bucket < percent / 100 else assignment.variant_id


class TestEvaluate:
    async def test_tells_in_a_dry_run_what_would_be_done(self, stage: Stage) -> None:
        await won(stage)

        told = await looked(stage, dry_run=True)

        assert (told.winner_variant_id, told.blocked_reason) == ("b", None)
        assert (told.current_percent, told.next_percent) == (0, 10)
        assert (told.status, told.applied) == (RolloutStatus.ROLLING_OUT, False)
        assert (told.users, told.minimum_sample_size, told.alpha) == (240, 100, 0.05)
        assert (told.guardrails_clear, told.next_step_not_before) == (True, None)
        _, runtime = await stage.stored()
        assert (runtime.rollout_percent, runtime.rollout_evaluated_at) == (0, None)
        assert {row.censored_at for row in await stage.assignments()} == {None}
        assert await stage.audited("experiment_rollout_applied") == []

    async def test_takes_a_step_and_ends_the_comparison_for_those_below(self, stage: Stage) -> None:
        await won(stage)

        told = await looked(stage)

        assert (told.applied, told.next_percent) == (True, 10)
        _, runtime = await stage.stored()
        assert (runtime.rollout_percent, runtime.winner_variant_id) == (10, "b")
        assert (runtime.rollout_status, runtime.rollout_changed_at) == (
            RolloutStatus.ROLLING_OUT,
            NOW,
        )
        rows = await stage.assignments()
        assert {row.user_id for row in rows if row.censored_at == NOW} == {
            row.user_id for row in rows if row.rollout_bucket < 0.1
        }
        (metadata,) = await stage.audited("experiment_rollout_applied")
        assert (metadata["from_percent"], metadata["to_percent"]) == (0, 10)
        assert runtime.rollout_history[0]["actor"] == "tester"

    async def test_climbs_to_everybody_one_day_at_a_time(self, stage: Stage) -> None:
        await won(stage)
        percents, sets = [], []
        for _ in range(4):
            told = await looked(stage)
            blocked = await looked(stage)
            percents.append((told.next_percent, blocked.blocked_reason))
            rows = await stage.assignments()
            sets.append({row.user_id for row in rows if served(row, told.next_percent) == "b"})
            left = [row.variant_id for row in rows if row.censored_at is None]
            observed = [left.count("control"), left.count("b")]
            assert not srm(observed, [50, 50]).detected
            stage.now += DAY

        assert percents == [
            (10, "step_dwell_not_elapsed"),
            (50, "step_dwell_not_elapsed"),
            (100, "already_full_rollout"),
            (100, "already_full_rollout"),
        ]
        assert sets[0] <= sets[1] <= sets[2] == sets[3]
        experiment, runtime = await stage.stored()
        assert experiment.status is ExperimentStatus.RUNNING
        assert runtime.rollout_status is RolloutStatus.COMPLETED
        assert runtime.final_result is not None
        assert runtime.final_result["experiment_id"] == "x"
        assert [each["to_percent"] for each in runtime.rollout_history] == [10, 50, 100]

    async def test_takes_a_step_per_call_where_there_is_no_dwell(self, stage: Stage) -> None:
        await stage.tune("experiment_rollout_min_step_hours", 0)
        await won(stage)

        assert [(await looked(stage)).next_percent for _ in range(3)] == [10, 50, 100]

    async def test_takes_back_a_winner_that_is_worse(self, stage: Stage) -> None:
        await stage.experiment()
        await converted(stage, control=48, b=20)
        await stage.shift(
            rollout_percent=10,
            winner_variant_id="b",
            rollout_status=RolloutStatus.ROLLING_OUT,
            rollout_changed_at=NOW - HOUR,
        )

        dry, told = await looked(stage, dry_run=True), await looked(stage)
        again = await looked(stage)

        assert (dry.applied, dry.next_percent, dry.blocked_reason) == (False, 0, None)
        assert (told.applied, told.status) == (True, RolloutStatus.ROLLED_BACK)
        assert again.blocked_reason == "control_is_winner"
        _, runtime = await stage.stored()
        assert (runtime.rollout_percent, runtime.rollout_status) == (0, RolloutStatus.ROLLED_BACK)
        (metadata,) = await stage.audited("experiment_rollout_rolled_back")
        assert (metadata["from_percent"], metadata["to_percent"]) == (10, 0)

    async def test_does_nothing_for_one_that_does_not_run(self, stage: Stage) -> None:
        await won(stage, status=ExperimentStatus.PAUSED)

        told = await looked(stage)

        assert (told.blocked_reason, told.applied) == ("experiment_inactive", False)
        assert (told.users, told.recommendation_reason) == (240, "The experiment is not running.")

    async def test_waits_for_enough_users(self, stage: Stage) -> None:
        await stage.experiment()
        await stage.pay(await stage.users("b", 10))

        assert (await looked(stage)).blocked_reason == "no_winner_recommendation"

    async def test_does_nothing_where_users_were_not_split_as_told(self, stage: Stage) -> None:
        await won(stage)
        await stage.users("control", 120)

        assert (await looked(stage)).blocked_reason == "srm_detected"

    async def test_heeds_guardrails_as_they_are_now(self, stage: Stage) -> None:
        await won(stage, guardrails=SUCCESS)
        rows = await stage.assignments()
        await stage.renders([row.user_id for row in rows], "failed")

        told = await looked(stage)

        assert (told.blocked_reason, told.guardrails_clear) == ("guardrail_breached", False)

    async def test_heeds_what_guardrails_found_last(self, stage: Stage) -> None:
        await won(stage, guardrails=SUCCESS)
        await stage.shift(guardrails_breached=True)

        assert (await looked(stage)).blocked_reason == "guardrail_breached"

    async def test_heeds_guardrails_that_have_too_little_to_judge(self, stage: Stage) -> None:
        await won(stage, guardrails={**SUCCESS, "render_events_min": 200})

        told = await looked(stage)

        assert told.blocked_reason == "guardrail_skipped:render_events_below_min(0 < 200)"

    async def test_censors_who_slipped_in_at_the_moment_of_the_last_step(
        self, stage: Stage
    ) -> None:
        await won(stage)
        await looked(stage)
        await stage.users("control", rollout_bucket=0.05, assigned_at=NOW, first_exposed_at=NOW)

        await looked(stage)

        assert {
            row.censored_at for row in await stage.assignments() if row.rollout_bucket < 0.1
        } == {NOW}

    async def test_knows_no_other_experiments(self, stage: Stage) -> None:
        with pytest.raises(ExperimentNotFound):
            await looked(stage, "nonsense")

    async def test_does_not_act_on_what_was_changed_meanwhile(self, stage: Stage) -> None:
        await won(stage)

        @asynccontextmanager
        async def late() -> AsyncIterator[AsyncSession]:
            await stage.change(revision=2)
            async with stage.database.transaction() as session:
                yield session

        openings = Openings(reading=stage.database.reading, transaction=late)
        with pytest.raises(ExperimentMoved):
            await evaluate(openings, "x", stage.look(), act=stage.act)

        _, runtime = await stage.stored()
        assert runtime.rollout_percent == 0


class TestEvaluateAll:
    async def test_begins_with_those_that_waited_longest(self, stage: Stage) -> None:
        for name, hours in {"a": 1, "b": 3, "c": 2}.items():
            await stage.experiment(name)
            await stage.shift(name, rollout_evaluated_at=NOW - hours * HOUR)
        await stage.experiment("d")
        await stage.experiment("paused", status=ExperimentStatus.PAUSED)

        run = await all_looked(stage, limit=3)

        assert [each.experiment_id for each in run.results] == ["d", "b", "c"]
        rest = await all_looked(stage, limit=1)
        assert [each.experiment_id for each in rest.results] == ["a"]

    async def test_goes_on_after_one_that_fails(self, stage: Stage) -> None:
        await stage.experiment("a", primary_metric="happiness")
        await won(stage)

        run = await all_looked(stage)

        broken, applied = run.results
        assert broken.blocked_reason == "error:unknown_primary_metric"
        assert applied.applied
        assert (run.applied, run.blocked) == (["x"], ["a"])

    async def test_does_not_look_twice_in_one_run(self, stage: Stage) -> None:
        await stage.tune("experiment_rollout_min_step_hours", 0)
        await won(stage)
        began = stage.now
        await all_looked(stage)
        stage.now += timedelta(minutes=2)

        again = await all_looked(stage, begun_at=began)

        assert again.results == []
        assert (await stage.stored())[1].rollout_percent == 10
