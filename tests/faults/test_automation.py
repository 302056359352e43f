"""The automation of experiments, killed in the middle and begun anew: everything once."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from medici.domain.assignments.models import ExperimentRuntime
from medici.domain.experiments.audit import Action
from medici.domain.identity.models import AuditEntry
from medici.kernel.db.database import Database
from tests.domain.experiments.stage import NOW, Stage
from tests.jobs.waiting import until

EXPERIMENTS = 30
SECOND = timedelta(seconds=1)
HOME = Path(__file__).parents[2]


async def win(stage: Stage) -> None:
    """Let there be experiments that have won, and others that breach a guardrail."""
    await stage.tune("experiment_rollout_min_step_hours", 0)
    for number in range(EXPERIMENTS):
        name = f"x{number}"
        await stage.experiment(name, guardrails={"active_paid_users_max": 1000})
        control = await stage.users("control", 100, experiment=name)
        b = await stage.users("b", 100, experiment=name)
        await stage.pay([*control[:10], *b[:50]])
    for number in range(EXPERIMENTS):
        name = f"y{number}"
        await stage.experiment(name, guardrails={"active_paid_users_min": 1})


async def started(database_url: str, seconds: int) -> Process:
    """Begin the run in a process of its own, or go on with it some seconds later."""
    at = NOW + seconds * SECOND
    child = ("-m", "tests.faults.automation_child", database_url, NOW.isoformat(), at.isoformat())
    return await asyncio.create_subprocess_exec(sys.executable, *child, cwd=HOME)


async def done(database: Database) -> tuple[int, int]:
    """Count the guardrails that were judged, and the ladders that were looked at."""
    counts = select(
        func.count(ExperimentRuntime.guardrails_checked_at),
        func.count(ExperimentRuntime.rollout_evaluated_at),
    )
    async with database.reading() as session:
        judged, looked = (await session.execute(counts)).one()
    return judged, looked


async def killed_beyond(database: Database, process: Process, mark: int) -> int:
    """Kill a process once the run has come further; return how far it had."""

    async def has_come_further() -> bool:
        return sum(await done(database)) > mark

    await until(has_come_further, within=60)
    process.kill()
    await process.wait()
    return sum(await done(database))


class TestKilledAutomation:
    async def test_is_gone_on_with_and_does_nothing_twice(
        self, database: Database, database_url: str
    ) -> None:
        await win(Stage(database=database))
        first = await killed_beyond(database, await started(database_url, 0), 3)
        second = await killed_beyond(
            database, await started(database_url, 1), max(first, 2 * EXPERIMENTS + 3)
        )
        last = await started(database_url, 2)
        assert await last.wait() == 0

        assert 3 < first < 2 * EXPERIMENTS + 3 < second < 4 * EXPERIMENTS
        async with database.reading() as session:
            runtimes = (await session.scalars(select(ExperimentRuntime))).all()
            audited = await session.execute(
                select(AuditEntry.action, AuditEntry.target_id).where(
                    AuditEntry.target_kind == "experiment"
                )
            )
            entries = Counter((row.action, row.target_id) for row in audited)
        percents = {each.experiment_id: each.rollout_percent for each in runtimes}
        streaks = {each.experiment_id: each.violation_streak for each in runtimes}
        numbers = range(EXPERIMENTS)
        assert percents == {f"x{n}": 10 for n in numbers} | {f"y{n}": 0 for n in numbers}
        assert streaks == {f"x{n}": 0 for n in numbers} | {f"y{n}": 1 for n in numbers}
        assert entries == {
            **{(Action.ROLLOUT_APPLIED, f"x{n}"): 1 for n in numbers},
            (Action.AUTOMATION_RUN, "automation"): 1,
        }
