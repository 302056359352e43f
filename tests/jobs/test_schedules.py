"""Work that comes round: each time once, however many look at the clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from medici.jobs.inline import run_due
from medici.jobs.kinds import JobKind
from medici.jobs.models import Job
from medici.jobs.schedules import Daily, Interval, Schedule, is_any_due, tick
from medici.kernel.db.database import Database
from tests.jobs.work import NOW, REGISTRY, SILENT, Bench
from tests.support.databases import opened

MINUTE = timedelta(minutes=1)
EACH_MINUTE = Schedule(kind=SILENT, every=MINUTE)
NIGHTLY = Schedule(kind=JobKind(name="tests.nightly"), every=Daily(hour=3, minute=15))


async def ticked(database: Database, *schedules: Schedule, now: datetime) -> list[UUID]:
    async with database.transaction() as session:
        return await tick(session, schedules, now=now)


class TestDaily:
    @pytest.mark.parametrize(
        ("now", "following"),
        [
            (datetime(2026, 3, 1, 3, 14, tzinfo=UTC), datetime(2026, 3, 1, 3, 15, tzinfo=UTC)),
            (datetime(2026, 3, 1, 3, 15, tzinfo=UTC), datetime(2026, 3, 2, 3, 15, tzinfo=UTC)),
            (datetime(2028, 2, 28, 4, 0, tzinfo=UTC), datetime(2028, 2, 29, 3, 15, tzinfo=UTC)),
            (datetime(2026, 12, 31, 4, 0, tzinfo=UTC), datetime(2027, 1, 1, 3, 15, tzinfo=UTC)),
        ],
    )
    async def test_follows_the_days_of_the_calendar(
        self, now: datetime, following: datetime
    ) -> None:
        assert Daily(hour=3, minute=15).first(now) == following


class TestInterval:
    async def test_keeps_its_beat_however_late_it_is_asked(self) -> None:
        late = NOW + timedelta(seconds=150)

        assert Interval(length=MINUTE).following(NOW, now=late) == NOW + 3 * MINUTE


class TestTick:
    async def test_begins_intervals_at_once_and_waits_for_the_hour(
        self, database: Database
    ) -> None:
        (job_id,) = await ticked(database, EACH_MINUTE, NIGHTLY, now=NOW)

        async with database.reading() as session:
            job = await session.get_one(Job, job_id)
        assert (job.kind, job.key, job.run_at) == ("tests.silent", "schedule", NOW)

    async def test_enqueues_missed_times_once(self, database: Database, bench: Bench) -> None:
        await ticked(database, EACH_MINUTE, NIGHTLY, now=NOW)
        await run_due(database, REGISTRY, bench, NOW)

        assert await ticked(database, EACH_MINUTE, NIGHTLY, now=NOW + MINUTE / 2) == []
        assert len(await ticked(database, EACH_MINUTE, NIGHTLY, now=NOW + 50 * MINUTE)) == 1
        assert await ticked(database, EACH_MINUTE, NIGHTLY, now=NOW + 50.5 * MINUTE) == []
        assert len(await ticked(database, NIGHTLY, now=NOW + timedelta(days=3))) == 1
        assert await ticked(database, NIGHTLY, now=NOW + timedelta(days=3)) == []

    async def test_does_not_pile_up_behind_slow_work(self, database: Database) -> None:
        first = await ticked(database, EACH_MINUTE, now=NOW)
        second = await ticked(database, EACH_MINUTE, now=NOW + MINUTE)

        assert first == second

    async def test_starts_anew_when_the_rhythm_changes(self, database: Database) -> None:
        yearly = Schedule(kind=SILENT, every=timedelta(days=365))
        await ticked(database, yearly, now=NOW)

        assert await ticked(database, yearly, now=NOW + MINUTE) == []
        assert len(await ticked(database, EACH_MINUTE, now=NOW + MINUTE)) == 1

    async def test_knows_beforehand_whether_there_is_anything_to_do(
        self, database: Database
    ) -> None:
        async def due(now: datetime) -> bool:
            async with database.reading() as session:
                return await is_any_due(session, [EACH_MINUTE, NIGHTLY], now=now)

        assert await due(NOW)
        await ticked(database, EACH_MINUTE, NIGHTLY, now=NOW)
        assert not await due(NOW)
        assert await due(NOW + MINUTE)

    async def test_is_done_once_by_many_who_share_no_memory(
        self, database: Database, database_url: str
    ) -> None:
        async with opened(database_url) as other:
            made = await asyncio.gather(
                *(ticked(where, EACH_MINUTE, now=NOW) for where in [database, other] * 5)
            )

        assert sorted(len(ids) for ids in made) == [0] * 9 + [1]
        async with database.reading() as session:
            assert (await session.execute(select(func.count()).select_from(Job))).scalar_one() == 1
