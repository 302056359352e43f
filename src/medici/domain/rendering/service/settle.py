"""How a render ends: delivered and captured, or failed and released; exactly once."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.failure import ProviderFailure
from medici.adapters.providers.provider import CancelOutcome, Cost, CostSource
from medici.adapters.providers.request import Part
from medici.domain.events.facts import EventName
from medici.domain.rendering import queries, rules
from medici.domain.rendering.errors import InputUnusable, NobodyLeft
from medici.domain.rendering.models import AttemptState, RenderAttempt, RenderJob, RenderState
from medici.domain.rendering.rules import Next, Policy, Standing
from medici.domain.rendering.service.dispatching import enqueue_dispatch
from medici.domain.rendering.service.facts import record_failed_attempt, record_job
from medici.domain.rendering.service.price import release_price
from medici.domain.routing import queries as routing
from medici.domain.routing import service as routing_health
from medici.domain.routing.rules import governing_route
from medici.domain.routing.settings import OnModeration, OnUncertain
from medici.domain.routing.treating import treatment_of
from medici.kernel.db.driver.lent import driver_of


async def fail_attempt(
    session: AsyncSession,
    job_id: UUID,
    attempt_id: UUID,
    failure: ProviderFailure,
    *,
    cost: Cost | None,
    chance: float,
    now: datetime,
) -> None:
    """Close an attempt that brought nothing and decide how its job goes on.

    ``cost`` is what the provider charges all the same, if it says so; ``chance`` in [0, 1) spreads
    retries.
    """
    job = await queries.locked_job(session, job_id)
    attempt = await session.get_one(RenderAttempt, attempt_id, populate_existing=True)
    if not attempt.state.is_open:
        return
    _close(attempt, AttemptState.FAILED, now)
    attempt.failure_code = failure.code
    attempt.failure_message = failure.message
    if cost is not None:
        _book_cost(job, attempt, cost)
    elif rules.may_have_cost(failure, accepted=attempt.ref is not None):
        _leave_cost_open(attempt)
    await routing_health.note_failure(
        session, failure, provider=attempt.provider, operation=job.operation, now=now
    )
    if job.state.is_terminal:
        return
    await record_failed_attempt(session, job, attempt, now=now)
    standing = await _standing(session, job, attempt)
    match rules.after_failure(failure, standing, await _policy(session, job)):
        case Next.RETRY:
            wait = rules.retry_delay_seconds(
                standing.tries_here, chance, failure.retry_after_seconds
            )
            job.retries += 1
            await _send_again(session, job, now + timedelta(seconds=wait), now)
        case Next.FALL_BACK:
            job.position += 1
            await _send_again(session, job, now, now)
        case Next.STOP:
            state, code = rules.final_state(failure)
            await fail_job(session, job, state, code, now=now)


async def waits_for_word(session: AsyncSession, job_id: UUID) -> bool:
    """Tell whether a job waits for news of an attempt whose answer was lost.

    Where its route goes on in spite of an uncertain outcome, it goes on at once.
    """
    job = await queries.locked_job(session, job_id)
    if job.state.is_terminal:
        return True
    goes_on = (await _policy(session, job)).fall_back_on_uncertain
    return not (goes_on and job.position + 1 < len(job.candidates))


async def is_found(session: AsyncSession, attempt_id: UUID) -> bool:
    """Tell whether the work of an attempt is known by now; its job is locked for the answer."""
    attempt = await session.get_one(RenderAttempt, attempt_id)
    await queries.locked_job(session, attempt.render_job_id)
    await session.refresh(attempt)
    return attempt.ref is not None


async def fail_job(
    session: AsyncSession,
    job: RenderJob,
    state: RenderState,
    code: str,
    *,
    now: datetime,
    message: str | None = None,
) -> None:
    """End a locked job without a picture and give its price back.

    ``message`` is for the customer; without one the code's own sentence says it.
    """
    job.error_message = message or rules.sentence_for(code)
    reason = f"render_refund_{'dispatch_failed' if code == 'provider_dispatch_failed' else code}"
    await release_price(session, job, reason=reason, now=now)
    await _end(session, job, state, code, now=now)
    if code == "provider_dispatch_failed":
        await record_job(session, job, EventName.RENDER_DISPATCH_FAILED, now=now)


async def refuse_input(
    session: AsyncSession, job_id: UUID, unusable: InputUnusable, *, now: datetime
) -> None:
    """End a job whose picture cannot be used, with an attempt whose answer was lost."""
    job = await queries.locked_job(session, job_id)
    await _lose_attempts(session, job_id, now=now)
    if not job.state.is_terminal:
        await fail_job(
            session, job, RenderState.FAILED, unusable.code, message=str(unusable), now=now
        )


async def nobody_left(session: AsyncSession, job_id: UUID, *, now: datetime) -> None:
    """End a job for which no provider of its route can be asked."""
    job = await queries.locked_job(session, job_id)
    if not job.state.is_terminal:
        await fail_job(session, job, RenderState.FAILED, NobodyLeft.code, now=now)


async def give_up(session: AsyncSession, job_id: UUID, *, reason: str, now: datetime) -> None:
    """End a job whose background work cannot be done, with whatever attempt is still open."""
    job = await queries.locked_job(session, job_id)
    await _lose_attempts(session, job_id, now=now)
    if not job.state.is_terminal:
        await fail_job(session, job, RenderState.FAILED, reason, now=now)


async def close_lost(session: AsyncSession, job_id: UUID, *, now: datetime) -> None:
    """Close an attempt of an ended job whose answer went with the process that waited for it."""
    await queries.locked_job(session, job_id)
    for attempt in await queries.attempts_of(session, job_id):
        if attempt.state is AttemptState.SENDING and attempt.ref is None:
            _lose(attempt, now)


async def abandon_attempt(
    session: AsyncSession, attempt_id: UUID, outcome: CancelOutcome, *, now: datetime
) -> None:
    """Close an attempt whose picture nobody wants any more."""
    attempt = await session.get_one(
        RenderAttempt, attempt_id, with_for_update=True, populate_existing=True
    )
    if not attempt.state.is_open:
        return
    if outcome is not CancelOutcome.CANCELED:
        _leave_cost_open(attempt)
    _close(attempt, AttemptState.CANCELED, now)


async def _lose_attempts(session: AsyncSession, job_id: UUID, *, now: datetime) -> None:
    for attempt in await queries.attempts_of(session, job_id):
        if attempt.state.is_open:
            _lose(attempt, now)


def _lose(attempt: RenderAttempt, now: datetime) -> None:
    _leave_cost_open(attempt)
    _close(attempt, AttemptState.UNCERTAIN, now)


async def _standing(session: AsyncSession, job: RenderJob, attempt: RenderAttempt) -> Standing:
    attempts = await queries.attempts_of(session, job.id)
    return Standing(
        tries_here=sum(1 for other in attempts if other.provider == attempt.provider),
        retries=job.retries,
        has_next=job.position + 1 < len(job.candidates),
    )


async def _policy(session: AsyncSession, job: RenderJob) -> Policy:
    """Read what the route of this job says now about uncertain and moderated outcomes."""
    settings = (await routing.published(session)).of_user(job.user_id).settings
    if job.experiment_id is not None and job.variant_id is not None:
        driver = await driver_of(session)
        treatment = await treatment_of(driver, job.experiment_id, job.variant_id)
        settings = treatment.over(settings) or settings
    parts = [Part(part) for part in job.target_parts]
    route = governing_route(settings, job.operation, parts)
    return Policy(
        fall_back_on_moderation=route.on_moderation is OnModeration.FALLBACK,
        fall_back_on_uncertain=route.on_uncertain is OnUncertain.FALLBACK,
        max_retries=settings.cost_controls.max_retries,
    )


async def _send_again(
    session: AsyncSession, job: RenderJob, run_at: datetime, now: datetime
) -> None:
    job.state = RenderState.QUEUED
    job.queue_position = None
    job.updated_at = now
    await enqueue_dispatch(session, job.id, now=now, run_at=run_at)


async def _end(
    session: AsyncSession, job: RenderJob, state: RenderState, code: str | None, *, now: datetime
) -> None:
    job.state = state
    job.error_code = code
    job.queue_position = None
    job.updated_at = job.finished_at = now
    await record_job(session, job, EventName.RENDER_STATUS_UPDATED, now=now)


def _close(attempt: RenderAttempt, state: AttemptState, now: datetime) -> None:
    attempt.state = state
    attempt.finished_at = now


def _leave_cost_open(attempt: RenderAttempt) -> None:
    """Note that the provider may charge for it, unless it is one that never does."""
    attempt.cost_uncertain = attempt.estimated_cost_micros > 0


def _book_cost(job: RenderJob, attempt: RenderAttempt, cost: Cost | None) -> None:
    """Book what the provider charges; the estimate where it does not say."""
    attempt.actual_cost_micros = cost.amount_micros if cost else attempt.estimated_cost_micros
    attempt.cost_source = cost.source if cost else CostSource.PRICE_TABLE
    attempt.price_version = (cost and cost.price_version) or attempt.price_version
    job.actual_cost_micros = (job.actual_cost_micros or 0) + attempt.actual_cost_micros
