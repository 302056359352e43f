"""One try at one provider: the intent is stored first, what came of it afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.provider import (
    Cost,
    Observation,
    Phase,
    ProviderRegistry,
    Submission,
)
from medici.domain.events.facts import EventName
from medici.domain.rendering import queries, rules
from medici.domain.rendering.errors import NobodyLeft
from medici.domain.rendering.models import (
    AttemptState,
    ProviderMode,
    RenderAttempt,
    RenderJob,
    RenderState,
)
from medici.domain.rendering.service.choosing import Wait, choose
from medici.domain.rendering.service.dispatching import enqueue_poll
from medici.domain.rendering.service.facts import record_job
from medici.kernel.ids import new_id

Estimate: TypeAlias = Callable[[RenderAttempt], Cost]
"""Tells what an attempt will cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendors:
    """What the providers say about themselves: which only pretend, and what they take at once."""

    stubs: frozenset[str] = frozenset()
    caps: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, registry: ProviderRegistry) -> "Vendors":
        said = {name: one.capabilities() for name, one in registry.by_name.items()}
        return cls(
            stubs=frozenset(name for name, can in said.items() if can.stub),
            caps={
                name: can.max_in_flight
                for name, can in said.items()
                if can.max_in_flight is not None
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An attempt whose intent is stored. ``resumed`` tells that its answer was lost before."""

    job: RenderJob
    attempt: RenderAttempt
    resumed: bool


async def begin(
    session: AsyncSession, job_id: UUID, *, vendors: Vendors, estimate: Estimate, now: datetime
) -> Begun | Wait | None:
    """Store the intent to send the job to the provider whose turn it is.

    None means that there is nothing to send: the job has ended, or its work is already running.

    Raises:
        NobodyLeft: no provider of the route can be asked, now or soon.
    """
    job = await queries.locked_job(session, job_id)
    if job.state.is_terminal:
        return None
    attempts = await queries.attempts_of(session, job_id)
    if attempts and attempts[-1].state.is_open:
        lost = attempts[-1].state is AttemptState.SENDING
        return Begun(job=job, attempt=attempts[-1], resumed=True) if lost else None
    choice = await choose(session, job, vendor_caps=vendors.caps, now=now)
    if choice is None:
        raise NobodyLeft("every provider of the route is switched off by its failures")
    if isinstance(choice, Wait):
        return choice
    job.position = choice.position
    attempt = _next_attempt(job, number=len(attempts) + 1, now=now)
    _book_estimate(job, attempt, estimate(attempt))
    session.add(attempt)
    _move(job, RenderState.SENDING, now)
    job.provider, job.provider_model = attempt.provider, attempt.model
    job.provider_mode = (
        ProviderMode.STUB if attempt.provider in vendors.stubs else ProviderMode.LIVE
    )
    await session.flush()
    return Begun(job=job, attempt=attempt, resumed=False)


def _book_estimate(job: RenderJob, attempt: RenderAttempt, cost: Cost) -> None:
    attempt.estimated_cost_micros = job.estimated_cost_micros = cost.amount_micros
    attempt.price_version = cost.price_version


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
