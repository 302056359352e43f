"""Putting work into the queue, taking it out, and giving it another life."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.bell import ring_after_commit
from medici.jobs.database_clock import clock_after
from medici.jobs.errors import JobNotDead, JobNotFound, JobNotWaiting, JobSucceeded
from medici.jobs.kinds import Argument, JobKind, stored
from medici.jobs.models import IS_UNFINISHED_WITH_KEY, Job, State
from medici.kernel.db.inserts import Insert, insert_into
from medici.kernel.ids import new_id


async def enqueue(
    session: AsyncSession,
    kind: JobKind,
    *,
    now: datetime,
    args: Mapping[str, Argument],
    run_at: datetime | None = None,
    key: str | None = None,
) -> UUID:
    """Have work done after this transaction has committed, at ``run_at`` or at once.

    A ``key`` names the work: while a job of this kind and key is unfinished, its id is returned
    instead of a second job. It keeps its arguments; it is brought forward to ``run_at`` if that
    is sooner, and where it runs already it runs once more afterwards, not before ``run_at``, so
    that no news is missed.
    """
    delay_seconds = max((run_at - now).total_seconds(), 0.0) if run_at else 0.0
    insert = insert_into(session, Job).values(
        id=new_id(),
        kind=kind.name,
        queue=kind.queue,
        args=stored(args),
        key=key,
        run_at=run_at or now,
        due_at=clock_after(delay_seconds),
        max_attempts=kind.attempts,
        created_at=now,
    )
    if key is not None:
        insert = _or_ring(insert)
    job_id = (await session.execute(insert.returning(Job.id))).scalar_one()
    if not delay_seconds:
        ring_after_commit(session, kind.queue)
    return job_id


def _or_ring(insert: Insert) -> Insert:
    """Let the job that has this key already do this work too."""
    asked = insert.excluded
    runs = Job.state == State.RUNNING
    first = and_(runs, Job.rung.is_(False))  # its own due_at has passed and means nothing more
    sooner = or_(first, asked.due_at < Job.due_at)
    return insert.on_conflict_do_update(
        index_elements=[Job.kind, Job.key],
        index_where=IS_UNFINISHED_WITH_KEY,
        set_={
            "rung": or_(Job.rung, runs, Job.burial.is_not(None)),
            "run_at": case((sooner, asked.run_at), else_=Job.run_at),
            "due_at": case((sooner, asked.due_at), else_=Job.due_at),
        },
    )


async def cancel(session: AsyncSession, job_id: UUID) -> bool:
    """Stop a job for good; a present run loses its lease. False where it had ended before."""
    canceled = await session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state.in_((State.READY, State.RUNNING)))
        .values(
            state=State.CANCELED,
            rung=False,
            fence=Job.fence + 1,
            lease_until=None,
            worker=None,
            finished_at=clock_after(),
        )
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return canceled.scalar_one_or_none() is not None


async def cancel_waiting(session: AsyncSession, job_id: UUID) -> None:
    """Take a job out of the queue for good, unless a run of it is under way.

    Raises:
        JobNotFound: there is no such job.
        JobNotWaiting: it runs now, has ended, or has only its last words left.
    """
    job = await session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise JobNotFound(str(job_id))
    if job.state == State.RUNNING:
        raise JobNotWaiting(f"job {job_id} is running; ask again when that run has ended")
    if job.state != State.READY:
        raise JobNotWaiting(f"job {job_id} is {job.state.value}")
    if job.burial is not None:
        raise JobNotWaiting(f"job {job_id} is given up, and what it holds is being let go")
    await cancel(session, job_id)


async def revive(session: AsyncSession, job_id: UUID) -> None:
    """Give a dead job all its attempts again.

    Raises:
        JobNotFound: there is no such job.
        JobNotDead: it has not failed for good.
        JobSucceeded: a younger job with its key is unfinished and does its work.
    """
    job = await session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise JobNotFound(str(job_id))
    if job.state != State.DEAD:
        raise JobNotDead(f"job {job_id} is {job.state.value}")
    if job.key is not None and await _is_unfinished(session, job.kind, job.key):
        raise JobSucceeded(f"another job of {job.kind} waits under the same key")
    await session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(
            state=State.READY,
            attempts=0,
            losses=0,
            burial=None,
            rung=False,
            due_at=clock_after(),
            finished_at=None,
        )
    )
    ring_after_commit(session, job.queue)


async def _is_unfinished(session: AsyncSession, kind: str, key: str) -> bool:
    found = await session.execute(
        select(Job.id).where(IS_UNFINISHED_WITH_KEY, Job.kind == kind, Job.key == key)
    )
    return found.first() is not None
