"""Workers show that they are alive, for whoever asks after the health of the system."""

import os
import socket
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.database_clock import clock_after, database_time
from medici.jobs.models import JobWorker
from medici.kernel.db.inserts import insert_into


async def show(session: AsyncSession, worker: UUID) -> None:
    """Note that this worker is alive now."""
    insert = insert_into(session, JobWorker).values(
        id=worker,
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=clock_after(),
        seen_at=clock_after(),
    )
    await session.execute(
        insert.on_conflict_do_update(
            index_elements=[JobWorker.id], set_={"seen_at": insert.excluded.seen_at}
        )
    )


async def leave(session: AsyncSession, worker: UUID) -> None:
    """Note that this worker has gone of its own accord."""
    await session.execute(delete(JobWorker).where(JobWorker.id == worker))


async def seconds_since_seen(session: AsyncSession, *, host: str | None = None) -> float | None:
    """Return how long ago any worker (of a host) was last seen; None where there is none."""
    newest = select(func.max(JobWorker.seen_at))
    if host is not None:
        newest = newest.where(JobWorker.host == host)
    seen_at = (await session.execute(newest)).scalar_one()
    if seen_at is None:
        return None
    return max((await database_time(session) - seen_at).total_seconds(), 0.0)


async def forget_gone(session: AsyncSession, *, after: timedelta) -> None:
    """Delete workers that vanished without a word that long ago."""
    gone = JobWorker.seen_at < clock_after(-after.total_seconds())
    await session.execute(delete(JobWorker).where(gone))
