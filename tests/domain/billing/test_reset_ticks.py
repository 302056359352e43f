"""When a reset begins: once a day, whatever the clock, the boundary and the workers do."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from medici.domain.billing.allowance import ResetSchedule, allowance_window
from medici.domain.billing.models import ResetScheduleRow
from medici.domain.billing.resets import queries as resets_queries
from medici.domain.billing.resets import runs as resets
from medici.domain.billing.resets import tasks as reset_tasks
from medici.domain.billing.resets.models import ResetRun, RunState
from medici.domain.billing.resets.rules import SkippedReason, reason_to_skip
from medici.domain.billing.resets.runs import Ticked
from medici.domain.billing.resets.work import TICK
from medici.jobs.handlers import Registry
from medici.jobs.inline import run_due
from medici.jobs.queue import enqueue
from medici.kernel.db.database import Database
from tests.domain.billing.resetting import (
    MIDNIGHT,
    NOON,
    at,
    books_balance,
    grants_of,
    reset,
    stored,
    users,
)
from tests.support.databases import opened

REGISTRY = Registry.of(reset_tasks)
TODAY = allowance_window(NOON, 0, 0)


class TestTick:
    @pytest.mark.parametrize(
        ("enabled", "begun", "skipped"),
        [
            (False, None, SkippedReason.DISABLED),
            (False, "2026-11-24", SkippedReason.DISABLED),
            (True, None, None),
            (True, "2026-11-23", None),
            (True, "2026-11-24", SkippedReason.NOT_DUE),
            (True, "2026-11-25", SkippedReason.NOT_DUE),
        ],
    )
    def test_is_due_once_a_day(
        self, enabled: bool, begun: str | None, skipped: SkippedReason | None
    ) -> None:
        assert reason_to_skip(ResetSchedule(enabled=enabled), TODAY, begun) == skipped

    async def test_begins_one_reset_for_each_day(self, sold: Database) -> None:
        ticked = []
        for hours in (0, 1, 11, 12, 13):
            async with sold.transaction() as session:
                now = NOON + timedelta(hours=hours)
                ticked.append(await resets.tick(session, actor="test", now=now))

        not_due = Ticked(skipped=SkippedReason.NOT_DUE)
        assert [each == not_due for each in ticked] == [False, True, True, False, True]

    @pytest.mark.parametrize("moved_to", [1, 11, 13, 23])
    async def test_gives_no_date_twice_where_the_boundary_moves(
        self, sold: Database, moved_to: int
    ) -> None:
        await users(sold, "ada")
        for hours in range(60):
            now = NOON + timedelta(hours=hours)
            async with sold.transaction() as session:
                ticked = await resets.tick(session, actor="test", now=now)
                if hours == 5:
                    row = ResetScheduleRow(
                        id=1, enabled=True, reset_hour_utc=moved_to, reset_minute_utc=0
                    )
                    await session.merge(row)
            if ticked.run_id:
                await resets.carry_on(sold.transaction, ticked.run_id, clock=at(now))

        for day in ("2026-11-24", "2026-11-25", "2026-11-26"):
            assert await grants_of(sold, day) in (Counter(ada=1), Counter())
        assert await grants_of(sold, "2026-11-25") == Counter(ada=1)
        assert await books_balance(sold)

    @pytest.mark.parametrize("turn", [datetime(2026, 3, 29), datetime(2026, 10, 25)])  # noqa: DTZ001 - of no zone yet
    async def test_gives_days_of_23_and_25_hours_once(self, sold: Database, turn: datetime) -> None:
        began = turn.replace(tzinfo=UTC) - timedelta(days=1)
        await users(sold, "ada", now=began)
        async with sold.transaction() as session:
            row = ResetScheduleRow(
                id=1,
                enabled=True,
                reset_hour_utc=0,
                reset_minute_utc=0,
                time_zone="Europe/London",
            )
            await session.merge(row)
        for hours in range(72):
            now = began + timedelta(hours=hours)
            async with sold.transaction() as session:
                ticked = await resets.tick(session, actor="test", now=now)
            if ticked.run_id:
                await resets.carry_on(sold.transaction, ticked.run_id, clock=at(now))

        for days in range(3):
            day = (began + timedelta(days=days)).date().isoformat()
            assert await grants_of(sold, day) == Counter(ada=1)
        assert await books_balance(sold)

    @pytest.mark.parametrize(
        ("now", "day"),
        [
            (datetime(2028, 2, 28, 23, 59, tzinfo=UTC), "2028-02-28"),
            (datetime(2028, 2, 29, tzinfo=UTC), "2028-02-29"),
            (datetime(2028, 3, 1, tzinfo=UTC), "2028-03-01"),
        ],
    )
    async def test_knows_the_leap_day(self, sold: Database, now: datetime, day: str) -> None:
        await users(sold, "ada", now=now - timedelta(days=1))

        await reset(sold, now=now)

        assert await grants_of(sold, day) == Counter(ada=1)

    async def test_in_the_background_does_the_reset(self, sold: Database) -> None:
        await users(sold, "ada", "bob")
        async with sold.transaction() as session:
            await enqueue(session, TICK, now=MIDNIGHT, args={})

        ran = await run_due(sold, REGISTRY, None, MIDNIGHT)

        assert [each.kind for each in ran] == ["billing.reset_tick", "billing.reset_run"]
        assert await grants_of(sold, "2026-11-25") == Counter(ada=1, bob=1)

    async def test_in_the_background_takes_up_what_was_left(self, sold: Database) -> None:
        await users(sold, "ada", "bob")
        async with sold.transaction() as session:
            run_id = await resets.begin(session, actor="who died", dry_run=False, now=MIDNIGHT)
            await enqueue(session, TICK, now=MIDNIGHT, args={})

        await run_due(sold, REGISTRY, None, MIDNIGHT)

        run = await stored(sold, run_id)
        assert (run.state, run.balances_updated) == (RunState.COMPLETED, 2)

    async def test_in_the_background_is_given_up_after_five_failures(self, sold: Database) -> None:
        await users(sold, "ada")
        async with sold.transaction() as session:
            run_id = await resets.begin(session, actor="test", dry_run=False, now=MIDNIGHT)
            await resets.hand_over(session, run_id, now=MIDNIGHT)
            await session.execute(update(ResetRun).values(schedule_date="nonsense"))

        for hours in range(6):
            await run_due(sold, REGISTRY, None, MIDNIGHT + timedelta(hours=hours))

        assert (await stored(sold, run_id)).state is RunState.FAILED

    async def test_begins_anew_after_one_that_was_given_up(self, sold: Database) -> None:
        async with sold.transaction() as session:
            first = await resets.tick(session, actor="test", now=NOON)
            assert first.run_id is not None
            await resets.give_up(session, first.run_id, now=NOON)
            second = await resets.tick(session, actor="test", now=NOON)

        assert second.run_id not in (None, first.run_id)
        assert (await stored(sold, first.run_id)).state is RunState.FAILED


class TestManyAtOnce:
    async def test_run_and_tick_twenty_times_give_one_grant_each(
        self, sold: Database, database_url: str
    ) -> None:
        names = [f"user {number:02}" for number in range(25)]
        await users(sold, *names)

        async def run(database: Database) -> None:
            async with database.transaction() as session:
                run_id = await resets.begin(session, actor="test", dry_run=False, now=MIDNIGHT)
            await resets.carry_on(database.transaction, run_id, clock=at(MIDNIGHT), size=4)

        async def tick(database: Database) -> None:
            async with database.transaction() as session:
                ticked = await resets.tick(session, actor="test", now=MIDNIGHT)
            if ticked.run_id:
                await resets.carry_on(
                    database.transaction, ticked.run_id, clock=at(MIDNIGHT), size=4
                )

        async with opened(database_url) as other:
            both: Sequence[Database] = (sold, other)
            await asyncio.gather(
                *(run(both[number % 2]) for number in range(20)),
                *(tick(both[number % 2]) for number in range(20)),
            )

        assert await grants_of(sold, "2026-11-25") == Counter(names)
        async with sold.reading() as session:
            every = await resets_queries.runs(session, limit=50)
        assert sum(one.balances_updated for one in every) == 25
        assert {one.state for one in every} == {RunState.COMPLETED}
        assert await books_balance(sold)
