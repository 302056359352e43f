"""An attempt whose answer was lost."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.rendering import queries, rules
from medici.domain.rendering.models import (
    AttemptState,
    RenderAttempt,
    RenderState,
)
from medici.domain.rendering.service.dispatching import enqueue_poll


async def await_word(
    session: AsyncSession, job_id: UUID, attempt_id: UUID, *, now: datetime
) -> None:
    """Leave an attempt open whose answer was lost, since its provider may yet call us.

    The look that is queued for the end of our patience closes it, unless a webhook came before.
    """
    attempt = await session.get_one(RenderAttempt, attempt_id)
    await enqueue_poll(session, attempt, now=now, run_at=now + rules.WORD_PATIENCE)
    job = await queries.locked_job(session, job_id)
    await session.refresh(attempt)
    if not attempt.state.is_open:
        return
    attempt.state = AttemptState.UNCERTAIN
    if not job.state.is_terminal:
        job.state, job.updated_at = RenderState.UNCERTAIN, now
