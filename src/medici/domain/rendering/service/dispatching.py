"""Queueing the next step of a render."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.rendering.models import RenderAttempt
from medici.domain.rendering.work import DISPATCH, POLL
from medici.jobs.queue import enqueue


async def enqueue_dispatch(
    session: AsyncSession, job_id: UUID, *, now: datetime, run_at: datetime | None = None
) -> None:
    """Have the job sent to the provider whose turn it is, by one run at a time."""
    # Two runs at once would take each other's open attempt for a lost one and send it again.
    key = str(job_id)
    await enqueue(session, DISPATCH, now=now, run_at=run_at, args={"render_job_id": key}, key=key)


async def enqueue_poll(
    session: AsyncSession, attempt: RenderAttempt, *, now: datetime, run_at: datetime | None = None
) -> None:
    """Have somebody look how far an attempt has come; a look that is planned is brought forward."""
    key = str(attempt.id)
    args = {"render_job_id": str(attempt.render_job_id), "attempt_id": key}
    await enqueue(session, POLL, now=now, run_at=run_at, args=args, key=key)
