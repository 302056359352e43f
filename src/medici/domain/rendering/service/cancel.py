"""Cancelling: at any time, refunded at once, the provider told when it can be."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.events.facts import EventName
from medici.domain.rendering import queries
from medici.domain.rendering.errors import RenderJobNotFound
from medici.domain.rendering.models import AttemptState, RenderJob, RenderState
from medici.domain.rendering.service.facts import record_job
from medici.domain.rendering.service.price import release_price
from medici.domain.rendering.work import CANCEL_UPSTREAM
from medici.jobs.queue import enqueue


async def cancel(
    session: AsyncSession, job_id: UUID, *, user_id: str, now: datetime
) -> tuple[RenderJob, bool]:
    """End the user's job unless it has ended; the second value tells whether this call did it.

    Raises:
        RenderJobNotFound: unknown or foreign, alike.
    """
    job = await queries.locked_job(session, job_id)
    if job.user_id != user_id:
        raise RenderJobNotFound
    if job.state.is_terminal:
        return job, False
    for attempt in await queries.attempts_of(session, job_id):
        if attempt.state is AttemptState.RUNNING:
            args = {"render_job_id": str(job_id), "attempt_id": str(attempt.id)}
            await enqueue(session, CANCEL_UPSTREAM, now=now, args=args)
    await release_price(session, job, reason="render_refund_canceled", now=now)
    job.state = RenderState.CANCELED
    job.queue_position = None
    job.updated_at = job.finished_at = now
    await record_job(session, job, EventName.RENDER_CANCELED, now=now)
    return job, True
