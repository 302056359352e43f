"""Work that comes round by itself: each time once, over all processes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.kinds import Argument, JobKind
from medici.jobs.models import JobSchedule
from medici.jobs.queue import enqueue
from medici.kernel.db.inserts import insert_into


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """Once a day, at a time of UTC."""

    hour: int
    minute: int = 0

    def first(self, now: datetime) -> datetime:
        return self.following(now, now=now)

    def following(self, _last: datetime, *, now: datetime) -> datetime:
        today = datetime.combine(now.date(), time(self.hour, self.minute, tzinfo=now.tzinfo))
        return today if today > now else today + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Again and again after the same time, from the first tick on."""

    length: timedelta

    def first(self, now: datetime) -> datetime:
        return now

    def following(self, last: datetime, *, now: datetime) -> datetime:
        passed = (now - last) // self.length + 1
        return last + passed * self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A kind of job that comes round; one that is still unfinished is not enqueued twice."""

    kind: JobKind
    every: timedelta | Daily
    args: Mapping[str, Argument] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def rhythm(self) -> Daily | Interval:
        return self.every if isinstance(self.every, Daily) else Interval(length=self.every)


async def is_any_due(
    session: AsyncSession, schedules: Collection[Schedule], *, now: datetime
) -> bool:
    """Tell whether a tick would find something to do; a read that disturbs nobody."""
    rows = await session.execute(
        select(JobSchedule.name, JobSchedule.rhythm).where(JobSchedule.next_at > now)
    )
    waiting = {(row.name, row.rhythm) for row in rows}
    return any((one.name, repr(one.rhythm)) not in waiting for one in schedules)


async def tick(
    session: AsyncSession, schedules: Collection[Schedule], *, now: datetime
) -> list[UUID]:
    """Enqueue the jobs that are due by ``now`` and return their ids.

    However many times were missed, the job is enqueued once. Processes that tick at the same
    moment wait for each other's locks and then find nothing left to do.
    """
    # One order for everybody, so that two processes never wait for each other.
    ordered = sorted(schedules, key=lambda one: one.name)
    await _remember(session, ordered, now=now)
    made = [await _tick_one(session, one, now=now) for one in ordered]
    await session.flush()
    return [job_id for job_id in made if job_id is not None]


async def _remember(
    session: AsyncSession, schedules: Collection[Schedule], *, now: datetime
) -> None:
    insert = insert_into(session, JobSchedule).on_conflict_do_nothing()
    for one in schedules:
        await session.execute(
            insert.values(name=one.name, rhythm=repr(one.rhythm), next_at=one.rhythm.first(now))
        )


async def _tick_one(session: AsyncSession, schedule: Schedule, *, now: datetime) -> UUID | None:
    row = await session.get_one(
        JobSchedule, schedule.name, with_for_update=True, populate_existing=True
    )
    if row.rhythm != repr(schedule.rhythm):
        row.rhythm, row.next_at = repr(schedule.rhythm), schedule.rhythm.first(now)
    if row.next_at > now:
        return None
    row.last_at, row.next_at = now, schedule.rhythm.following(row.next_at, now=now)
    return await enqueue(session, schedule.kind, now=now, args=schedule.args, key="schedule")
