"""One try at one provider: the intent is stored first, what came of it afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.provider import Observation, Phase, Submission
from medici.domain.events.facts import EventName
from medici.domain.rendering import queries, rules
from medici.domain.rendering.models import AttemptState, RenderAttempt, RenderJob, RenderState
from medici.domain.rendering.service.facts import record_job
from medici.domain.rendering.work import POLL
from medici.jobs.queue import enqueue
from medici.kernel.ids import new_id

Estimate: TypeAlias = Callable[[RenderAttempt], int]
"""Tells what an attempt will cost, in millionths of a US dollar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An attempt whose intent is stored. ``resumed`` tells that its answer was lost before."""

    job: RenderJob
    attempt: RenderAttempt
    resumed: bool


async def begin(
    session: AsyncSession, job_id: UUID, *, estimate: Estimate, now: datetime
) -> Begun | None:
    """Store the intent to send the job to the provider whose turn it is.

    None means that there is nothing to send: the job has ended, or its work is already running.
    """
    job = await queries.locked_job(session, job_id)
    if job.state.is_terminal:
        return None
    attempts = await queries.attempts_of(session, job_id)
    if attempts and attempts[-1].state.is_open:
        lost = attempts[-1].state is AttemptState.SENDING
        return Begun(job=job, attempt=attempts[-1], resumed=True) if lost else None
    attempt = _next_attempt(job, number=len(attempts) + 1, now=now)
    attempt.estimated_cost_micros = job.estimated_cost_micros = estimate(attempt)
    session.add(attempt)
    _move(job, RenderState.SENDING, now)
    job.provider, job.provider_model = attempt.provider, attempt.model
    await session.flush()
    return Begun(job=job, attempt=attempt, resumed=False)


def _next_attempt(job: RenderJob, *, number: int, now: datetime) -> RenderAttempt:
    provider, model = job.candidates[job.position]
    return RenderAttempt(
        id=new_id(),
        render_job_id=job.id,
        number=number,
        provider=provider,
        model=model,
        state=AttemptState.SENDING,
        polls=0,
        estimated_cost_micros=0,
        cost_uncertain=False,
        created_at=now,
        deadline_at=now + rules.ATTEMPT_LIFETIME,
    )


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
    args = {"render_job_id": str(job_id), "attempt_id": str(attempt_id)}
    first_look = now + timedelta(seconds=rules.poll_delay_seconds(0, chance))
    await enqueue(session, POLL, now=now, run_at=first_look, args=args, key=str(attempt_id))


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
