"""One try at one provider: the intent is stored first, what came of it afterwards."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.provider import (
    Observation,
    Phase,
    Submission,
)
from medici.domain.events.facts import EventName
from medici.domain.rendering import queries, rules
from medici.domain.rendering.models import (
    AttemptState,
    RenderAttempt,
    RenderJob,
    RenderState,
)
from medici.domain.rendering.service.dispatching import enqueue_poll
from medici.domain.rendering.service.facts import record_job


async def accepted(
    session: AsyncSession,
    job_id: UUID,
    attempt_id: UUID,
    submission: Submission,
    *,
    chance: float,
    now: datetime,
) -> None:
    """Store what the provider accepted, in the transaction that queues the first look at it.

    ``chance`` in [0, 1) spreads the looks.
    """
    job = await queries.locked_job(session, job_id)
    attempt = await session.get_one(RenderAttempt, attempt_id, populate_existing=True)
    if not attempt.state.is_open:
        return
    attempt.ref = dict(submission.ref)
    if not job.state.is_terminal:
        attempt.state = AttemptState.RUNNING
        _show(job, submission.observation, now)
        await record_job(session, job, EventName.RENDER_STATUS_UPDATED, now=now)
    first_look = now + timedelta(seconds=rules.poll_delay_seconds(0, chance))
    await enqueue_poll(session, attempt, now=now, run_at=first_look)


async def await_word(
    session: AsyncSession, job_id: UUID, attempt_id: UUID, *, now: datetime
) -> None:
    """Leave an attempt open whose answer was lost, since its provider may yet call us.

    The look that is queued for the end of our patience closes it, unless a webhook came before.
    """
    job = await queries.locked_job(session, job_id)
    attempt = await session.get_one(RenderAttempt, attempt_id, populate_existing=True)
    if not attempt.state.is_open:
        return
    attempt.state = AttemptState.UNCERTAIN
    if not job.state.is_terminal:
        _move(job, RenderState.UNCERTAIN, now)
    await enqueue_poll(session, attempt, now=now, run_at=now + rules.WORD_PATIENCE)


async def observed(
    session: AsyncSession,
    job_id: UUID,
    attempt_id: UUID,
    observation: Observation,
    *,
    now: datetime,
) -> None:
    """Store how far the provider has come."""
    job = await queries.locked_job(session, job_id)
    attempt = await session.get_one(RenderAttempt, attempt_id, populate_existing=True)
    attempt.polls += 1
    if attempt.state.is_open and not job.state.is_terminal:
        _show(job, observation, now)


def _show(job: RenderJob, observation: Observation, now: datetime) -> None:
    running = observation.phase is not Phase.QUEUED
    _move(job, RenderState.RUNNING, now)
    job.queue_position = None if running else observation.position
    if observation.progress is not None:
        job.progress = max(job.progress, min(95, round(observation.progress * 100)))


def _move(job: RenderJob, state: RenderState, now: datetime) -> None:
    job.state = state
    job.updated_at = now
