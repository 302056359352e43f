"""Handing finished pictures over and capturing their prices, for many jobs at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.provider import Cost, CostSource, Observation, Ref
from medici.adapters.providers.request import Operation
from medici.domain.events import service as events
from medici.domain.events.facts import EventName
from medici.domain.identity.owner import Owner
from medici.domain.ledger.service.settling import Charge, settle_holds
from medici.domain.pictures.models import Purpose
from medici.domain.pictures.rules import picture_key
from medici.domain.pictures.service import NewPicture, PictureFacts, discard_all, keep_pictures
from medici.domain.rendering.models import AttemptState, RenderState
from medici.domain.rendering.rows import (
    AttemptRow,
    JobRow,
    attempts_of_jobs,
    locked_jobs,
    write_attempts,
    write_jobs,
)
from medici.domain.rendering.service.facts import job_fact
from medici.domain.rendering.service.price import price_memo
from medici.domain.routing import service as routing_health
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A finished picture whose bytes are already in our storage."""

    job_id: UUID
    attempt_id: UUID
    facts: PictureFacts
    ref: Ref
    observation: Observation
    now: datetime

    @property
    def picture_id(self) -> UUID:
        """The picture has its attempt's id, so that storing it twice changes nothing."""
        return self.attempt_id


@dataclass(slots=True, kw_only=True)
class _Ended:
    """What a batch has decided and not yet written."""

    jobs: dict[UUID, JobRow] = field(default_factory=dict)
    attempts: list[AttemptRow] = field(default_factory=list)
    served: set[tuple[str, Operation]] = field(default_factory=set)
    delivered: list[Delivery] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)  # keys in storage


async def deliver(session: AsyncSession, delivery: Delivery) -> None:
    """Deliver one picture in a session's transaction."""
    await deliver_all(await driver_of(session), [delivery])


async def deliver_all(driver: Driver, deliveries: Sequence[Delivery]) -> list[None]:
    """Hand pictures over and capture their prices.

    A picture that comes after its job has ended is booked as cost, not shown, and thrown away.
    """
    if not deliveries:
        return []
    ids = {delivery.job_id for delivery in deliveries}
    jobs = await locked_jobs(driver, ids)
    attempts = await attempts_of_jobs(driver, ids)
    by_id = {attempt.id: attempt for each in attempts.values() for attempt in each}
    ended = _Ended()
    now = max(delivery.now for delivery in deliveries)
    for delivery in deliveries:
        _decide(ended, jobs, by_id, delivery, now)
    await _write(driver, ended, now)
    return [None] * len(deliveries)


def _decide(
    ended: _Ended,
    jobs: dict[UUID, JobRow],
    attempts: dict[UUID, AttemptRow],
    delivery: Delivery,
    now: datetime,
) -> None:
    job, attempt = jobs[delivery.job_id], attempts[delivery.attempt_id]
    if attempt.state.is_open:
        attempt = _succeeded(attempt, delivery, now)
        job = replace(job, actual_cost_micros=_added(job, attempt))
        ended.attempts.append(attempt)
        ended.served.add((attempt.provider, job.operation))
        if not job.state.is_terminal:
            job = _handed_over(job, delivery, now)
            ended.delivered.append(delivery)
        jobs[job.id] = ended.jobs[job.id] = job
        attempts[attempt.id] = attempt
    if job.output_id != delivery.picture_id:
        ended.unwanted.append(_key(job, delivery))


def _succeeded(attempt: AttemptRow, delivery: Delivery, now: datetime) -> AttemptRow:
    cost: Cost | None = delivery.observation.cost
    return replace(
        attempt,
        state=AttemptState.SUCCEEDED,
        ref=dict(delivery.ref),
        actual_cost_micros=cost.amount_micros if cost else attempt.estimated_cost_micros,
        cost_source=cost.source if cost else CostSource.PRICE_TABLE,
        price_version=(cost and cost.price_version) or attempt.price_version,
        finished_at=now,
    )


def _added(job: JobRow, attempt: AttemptRow) -> int:
    return (job.actual_cost_micros or 0) + (attempt.actual_cost_micros or 0)


def _handed_over(job: JobRow, delivery: Delivery, now: datetime) -> JobRow:
    return replace(
        job,
        state=RenderState.SUCCEEDED,
        output_id=delivery.picture_id,
        notes=list(delivery.observation.notes),
        progress=100,
        queue_position=None,
        error_code=None,
        updated_at=now,
        finished_at=now,
    )


async def _write(driver: Driver, ended: _Ended, now: datetime) -> None:
    delivered = [(ended.jobs[delivery.job_id], delivery) for delivery in ended.delivered]
    await write_attempts(driver, ended.attempts)
    await routing_health.note_successes(driver, ended.served, now=now)
    await keep_pictures(driver, [_picture(job, delivery, now) for job, delivery in delivered])
    charges = [
        Charge(job.hold_id, price_memo(job, f"render_{job.tier}"))
        for job, _ in delivered
        if job.hold_id is not None
    ]
    await settle_holds(driver, charges, now=now)
    await write_jobs(driver, list(ended.jobs.values()))
    facts = [job_fact(job, EventName.RENDER_STATUS_UPDATED, now=now) for job, _ in delivered]
    await events.record_all(driver, facts, now=now)
    await discard_all(driver, ended.unwanted, now=now)


def _picture(job: JobRow, delivery: Delivery, now: datetime) -> NewPicture:
    return NewPicture(
        id=delivery.picture_id,
        owner=Owner.user(job.user_id),
        purpose=Purpose.RESULT,
        facts=delivery.facts,
        created_at=now,
        expires_at=None,
    )


def _key(job: JobRow, delivery: Delivery) -> str:
    owner = Owner.user(job.user_id)
    return picture_key(owner, Purpose.RESULT, delivery.picture_id, delivery.facts.content_type)
