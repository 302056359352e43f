"""What a provider tells us by itself: a hint to look now, and the way to work that was lost."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.provider import Ref
from medici.domain.rendering import queries
from medici.domain.rendering.errors import AttemptNotFound, TooEarly
from medici.domain.rendering.models import AttemptState, RenderAttempt, RenderState
from medici.domain.rendering.service.dispatching import enqueue_poll

WORK_ID = "request_id"  # how every adapter calls the provider's own id of the work


async def take_news(
    session: AsyncSession, *, provider: str, attempt_id: UUID, ref: Ref, now: datetime
) -> None:
    """Look at an attempt at once; if its submit answer was lost, this is where it is found again.

    Raises:
        AttemptNotFound: no attempt at this provider, or the news is of other work.
        TooEarly: its submission is still on its way.
    """
    attempt = await session.get(RenderAttempt, attempt_id)
    if attempt is None or attempt.provider != provider:
        raise AttemptNotFound
    if attempt.finished_at is None:
        # Before the job is locked, in the order of the runs: what is queued, then what it is for.
        await enqueue_poll(session, attempt, now=now)
    job = await queries.locked_job(session, attempt.render_job_id)
    await session.refresh(attempt)
    if attempt.ref is not None and not _same_work(attempt.ref, ref):
        raise AttemptNotFound("the news is of other work")
    if attempt.state is AttemptState.SENDING:
        raise TooEarly("the submission is still on its way")
    if attempt.ref is None:
        # Of a closed attempt too: now its cost can be asked for.
        attempt.ref = {"model": attempt.model, **ref}
    if attempt.finished_at is not None:
        return
    if attempt.state is AttemptState.UNCERTAIN:
        attempt.state = AttemptState.RUNNING
        if job.state is RenderState.UNCERTAIN:
            job.state, job.updated_at = RenderState.RUNNING, now


def _same_work(known: Mapping[str, Any], told: Ref) -> bool:
    return known.get(WORK_ID) == told.get(WORK_ID)
