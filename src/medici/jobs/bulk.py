"""Putting many new jobs of one kind into the queue by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table

from medici.jobs.bell import ring_after
from medici.jobs.database_clock import clock_after
from medici.jobs.kinds import Argument, JobKind, stored
from medici.jobs.models import Job
from medici.kernel.db.driver.bulk import BulkInsert
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.ids import new_id

INSERT = BulkInsert(
    cast("Table", Job.__table__),
    ("id", "kind", "queue", "args", "key", "run_at", "max_attempts", "created_at"),
    computed={"due_at": clock_after()},
)


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of new work, under a key that nobody has used before."""

    key: str
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
