"""Deleting jobs that ended long ago."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.database_clock import database_time
from medici.jobs.models import Job, State

RETENTION = timedelta(hours=24)
BATCH = 1000
SWEPT = (State.DONE, State.CANCELED)  # dead ones wait for somebody to look at them


async def sweep(
    session: AsyncSession, *, retention: timedelta = RETENTION, limit: int = BATCH
) -> int:
    """Delete up to ``limit`` jobs that ended longer ago than ``retention``; return how many.

    Ids rise with time, so old jobs are found at the low end of the primary key and the rest of
    the table is never read.
    """
    before = await database_time(session) - retention
    old = (
        select(Job.id)
        .where(Job.id < first_id_of(before), Job.state.in_(SWEPT), Job.finished_at < before)
        .order_by(Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = (await session.execute(old)).scalars().all()
    await session.execute(delete(Job).where(Job.id.in_(ids)))
    return len(ids)


def first_id_of(moment: datetime) -> UUID:
    """Return the lowest id that can have been made at a moment."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
