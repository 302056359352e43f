"""What is done to many jobs by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, cast
from uuid import UUID

from sqlalchemy import Column, Float, Table, literal_column, select

from medici.jobs.bell import ring_after
from medici.jobs.claims import Claim
from medici.jobs.database_clock import clock_after
from medici.jobs.kinds import Argument, JobKind, stored
from medici.jobs.models import IS_RUNNING, Job
from medici.kernel.db.driver.bulk import BulkInsert, BulkStatement
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.ids import new_id

Held: TypeAlias = tuple[UUID, int]
"""A job and the fence that it is held with."""

TABLE = cast("Table", Job.__table__)
INSERT = BulkInsert(
    TABLE,
    ("id", "kind", "queue", "args", "key", "run_at", "max_attempts", "created_at"),
    computed={"due_at": clock_after()},
)
# The job that has a key already does this work too, as in ``queue.enqueue``.
ENQUEUE = BulkStatement(
    """
    INSERT INTO jobs (id, kind, queue, args, key, run_at, max_attempts, created_at, due_at)
    SELECT given.id, given.kind, given.queue, given.args, given.key, given.run_at,
        given.max_attempts, given.created_at, {due_at}
    FROM {rows} WHERE true
    ON CONFLICT (kind, key) WHERE key IS NOT NULL AND state IN ('ready', 'running') DO UPDATE
    SET rung = jobs.rung OR jobs.state = 'running' OR jobs.burial IS NOT NULL,
        run_at = CASE WHEN {sooner} THEN excluded.run_at ELSE jobs.run_at END,
        due_at = CASE WHEN {sooner} THEN excluded.due_at ELSE jobs.due_at END
    """,
    {
        **{name: TABLE.c[name] for name in INSERT.columns},
        "delay_seconds": Column("delay_seconds", Float),
    },
    computed={
        "due_at": clock_after(literal_column("given.delay_seconds", Float)),
        "sooner": literal_column(
            "((jobs.state = 'running' AND NOT jobs.rung) OR excluded.due_at < jobs.due_at)"
        ),
    },
)
HELD = Query(
    select(Job.id, Job.fence, Job.rung, Job.burial)
    .where(IS_RUNNING, any_of(Job.id, "jobs"))
    .order_by(Job.id)
    .with_for_update()
)
FINISH = BulkStatement(
    """
    UPDATE jobs SET state = 'done', fence = fence + 1, lease_until = NULL, worker = NULL,
        finished_at = {now}
    FROM {rows} WHERE jobs.id = given.id
    """,
    {"id": TABLE.c.id},
    computed={"now": clock_after()},
)


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work, to be done at ``run_at`` or at once; a key names it."""

    key: str | None
    args: dict[str, Argument]
    run_at: datetime | None = None


async def enqueue_new(
    driver: Driver, kind: JobKind, works: Sequence[Work], *, now: datetime
) -> None:
    """Have work done at once after this transaction has committed.

    Unlike ``enqueue_all`` it expects no job of the same key: one that is there makes it fail.
    """
    await INSERT.write(driver, [_row(kind, work, now) for work in works])
    ring_after(driver, kind.queue)


async def enqueue_all(
    driver: Driver, kind: JobKind, works: Sequence[Work], *, now: datetime
) -> None:
    """Do for many works, each under its key, what ``enqueue`` does for one."""
    delays = [_delay_seconds(work, now) for work in works]
    rows = [(*_row(kind, work, now), delay) for work, delay in zip(works, delays, strict=True)]
    await ENQUEUE.run(driver, rows)
    if 0.0 in delays:
        ring_after(driver, kind.queue)


def _delay_seconds(work: Work, now: datetime) -> float:
    return max((work.run_at - now).total_seconds(), 0.0) if work.run_at else 0.0


def _row(kind: JobKind, work: Work, now: datetime) -> tuple[object, ...]:
    """Return the values of a new job, in the order of ``INSERT``."""
    return (
        new_id(),
        kind.name,
        kind.queue,
        stored(work.args),
        work.key,
        work.run_at or now,
        kind.attempts,
        now,
    )


async def held_simply(driver: Driver, claims: Sequence[Claim]) -> set[Held]:
    """Lock jobs; return those that are still held and that nothing but their end is due for."""
    rows = await HELD.rows(driver, jobs={claim.id for claim in claims})
    simple = {(row.id, row.fence) for row in rows if not row.rung and row.burial is None}
    # With their fences, because two runs of one job may ask, of which one has lost it.
    return simple & {(claim.id, claim.fence) for claim in claims}


async def finish_simply(driver: Driver, job_ids: Sequence[UUID]) -> None:
    """Mark jobs done that ``held_simply`` has returned."""
    await FINISH.run(driver, [(job_id,) for job_id in job_ids])
