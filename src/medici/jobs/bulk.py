"""Putting many new jobs of one kind into the queue by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, insert
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.bell import ring_after_commit
from medici.jobs.database_clock import clock_after
from medici.jobs.kinds import Argument, JobKind, stored
from medici.jobs.models import Job
from medici.kernel.ids import new_id

NAMES = ("id", "kind", "queue", "args", "key", "run_at", "max_attempts", "created_at")
TABLE = cast("Table", Job.__table__)
INSERT = insert(TABLE).values(
    {"due_at": clock_after(), **{name: bindparam(name, type_=TABLE.c[name].type) for name in NAMES}}
)


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of new work, under a key that nobody has used before."""

    key: str
    args: dict[str, Argument]


async def enqueue_new(
    session: AsyncSession, kind: JobKind, works: Sequence[Work], *, now: datetime
) -> None:
    """Have work done at once after this transaction has committed.

    Unlike ``enqueue`` it expects no job of the same key: one that is there makes it fail.
    """
    rows = [
        {
            "id": new_id(),
            "kind": kind.name,
            "queue": kind.queue,
            "args": stored(work.args),
            "key": work.key,
            "run_at": now,
            "max_attempts": kind.attempts,
            "created_at": now,
        }
        for work in works
    ]
    await session.execute(INSERT, rows)
    ring_after_commit(session, kind.queue)
