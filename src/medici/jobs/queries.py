"""Looking at the queue: how long it is, how late, and what died in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.database_clock import clock_now, database_time
from medici.jobs.kinds import JobKind, Queue
from medici.jobs.models import (
    IS_DEAD,
    IS_READY,
    IS_RUNNING,
    IS_UNFINISHED_WITH_KEY,
    Job,
    State,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How much work there is now, over all queues."""

    due: int
    running: int
    oldest_due_seconds: float  # how late the latest due job is; 0 where none is due


async def depth(session: AsyncSession) -> Depth:
    """Measure the queue by the database's clock."""
    due = select(func.count(), func.min(Job.due_at)).where(IS_READY, Job.due_at <= clock_now())
    due_count, oldest = (await session.execute(due)).one()
    running = select(func.count()).select_from(Job).where(IS_RUNNING)
    late = (await database_time(session) - oldest).total_seconds() if due_count else 0.0
    return Depth(
        due=due_count,
        running=(await session.execute(running)).scalar_one(),
        oldest_due_seconds=max(late, 0.0),
    )


async def unfinished_keys(
    session: AsyncSession, kinds: Collection[JobKind], keys: Collection[str]
) -> frozenset[str]:
    """Return those of the keys under which a job of these kinds is still to be done."""
    rows = await session.scalars(
        select(Job.key).where(
            IS_UNFINISHED_WITH_KEY, Job.kind.in_([kind.name for kind in kinds]), Job.key.in_(keys)
        )
    )
    return frozenset(key for key in rows if key is not None)


async def counts(session: AsyncSession) -> dict[tuple[Queue, State], int]:
    """Count the jobs of each queue that are ready, running or dead.

    Finished ones are not counted: they are many, and a metric knows them.
    """
    states = ((State.READY, IS_READY), (State.RUNNING, IS_RUNNING), (State.DEAD, IS_DEAD))
    rows = await session.execute(
        union_all(
            *(
                select(Job.queue, literal(state), func.count()).where(only).group_by(Job.queue)
                for state, only in states
            )
        )
    )
    return {(Queue(queue), State(state)): count for queue, state, count in rows}


async def counts_by_kind(
    session: AsyncSession, *, kind: str | None = None
) -> dict[tuple[str, State], int]:
    """Count the same by kind, or those of one kind."""
    rows = await session.execute(
        select(Job.kind, Job.state, func.count())
        .where(or_(IS_READY, IS_RUNNING, IS_DEAD), _of(kind))
        .group_by(Job.kind, Job.state)
    )
    return {(name, state): count for name, state, count in rows}


async def waiting(
    session: AsyncSession, *, kind: str | None = None, limit: int = 100
) -> Sequence[Job]:
    """List the jobs that wait for their next run, of every kind or of one, the soonest first."""
    rows = await session.execute(
        select(Job).where(IS_READY, _of(kind)).order_by(Job.due_at, Job.id).limit(limit)
    )
    return rows.scalars().all()


async def dead_letters(
    session: AsyncSession, *, kind: str | None = None, limit: int = 100
) -> Sequence[Job]:
    """List the jobs that failed for good, of every kind or of one, the latest first."""
    rows = await session.execute(
        select(Job).where(IS_DEAD, _of(kind)).order_by(Job.finished_at.desc()).limit(limit)
    )
    return rows.scalars().all()


async def dead_ids(
    session: AsyncSession, *, kind: str | None, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Return the ids of dead jobs in their order, those behind ``after``."""
    behind = true() if after is None else Job.id > after
    rows = await session.scalars(
        select(Job.id).where(IS_DEAD, _of(kind), behind).order_by(Job.id).limit(limit)
    )
    return rows.all()


def _of(kind: str | None) -> ColumnElement[bool]:
    return true() if kind is None else Job.kind == kind
