"""Queueing the next step of a render."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.rendering.work import DISPATCH
from medici.jobs.queue import enqueue


async def enqueue_dispatch(
    session: AsyncSession, job_id: UUID, *, now: datetime, run_at: datetime | None = None
) -> None:
    """Have the job sent to the provider whose turn it is, by one run at a time."""
    # Two runs at once would take each other's open attempt for a lost one and send it again.
    key = str(job_id)
    await enqueue(session, DISPATCH, now=now, run_at=run_at, args={"render_job_id": key}, key=key)
