"""What is done to many jobs by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, cast
from uuid import UUID

from sqlalchemy import Table, select

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
    """One piece of new work; a key, if there is one, is one that nobody has used before."""

    key: str | None
    args: dict[str, Argument]


async def enqueue_new(
    driver: Driver, kind: JobKind, works: Sequence[Work], *, now: datetime
) -> None:
    """Have work done at once after this transaction has committed.

    Unlike ``enqueue`` it expects no job of the same key: one that is there makes it fail.
    """
    rows = [
        (
            new_id(),
            kind.name,
            kind.queue,
            stored(work.args),
            work.key,
            now,
            kind.attempts,
            now,
        )
        for work in works
    ]
    await INSERT.write(driver, rows)
    ring_after(driver, kind.queue)


async def held_simply(driver: Driver, claims: Sequence[Claim]) -> set[Held]:
    """Lock jobs; return those that are still held and that nothing but their end is due for."""
    rows = await HELD.rows(driver, jobs={claim.id for claim in claims})
    simple = {(row.id, row.fence) for row in rows if not row.rung and row.burial is None}
    # With their fences, because two runs of one job may ask, of which one has lost it.
    return simple & {(claim.id, claim.fence) for claim in claims}


async def finish_simply(driver: Driver, job_ids: Sequence[UUID]) -> None:
    """Mark jobs done that ``held_simply`` has returned."""
    await FINISH.run(driver, [(job_id,) for job_id in job_ids])
