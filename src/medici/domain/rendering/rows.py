"""Rows of renders, column for column, without a session behind them: for decisions on many.

A row is never changed; what becomes of it is a new one, which ``write_jobs`` or ``write_attempts``
puts in its place.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.provider import CostSource
from medici.adapters.providers.request import Operation, Tier
from medici.domain.rendering.models import (
    AttemptState,
    ProviderMode,
    RenderAttempt,
    RenderJob,
    RenderState,
)
from medici.kernel.db.driver.bulk import BulkInsert, BulkUpdate
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job; the defaults are how admission leaves it."""

    id: UUID
    user_id: str
    platform: str | None
    project_id: str
    style_id: str
    operation: Operation
    tier: Tier
    target_parts: list[str]
    image_url: str
    image_id: UUID | None
    mask_url: str | None
    mask_id: UUID | None
    prompt: str
    wishes: list[str]
    max_pixels: int

    plan_id: str
    credits: int
    hold_id: UUID | None
    settings_version: int
    experiment_id: str | None = None
    variant_id: str | None = None
    candidates: list[list[str]]
    position: int = 0
    retries: int = 0

    state: RenderState = RenderState.QUEUED
    provider: str
    provider_model: str
    provider_mode: ProviderMode | None = None
    progress: int = 0
    queue_position: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    notes: Sequence[str] = ()
    output_id: UUID | None = None
    estimated_cost_micros: int = 0
    actual_cost_micros: int | None = None

    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """An attempt; the defaults are how one begins."""

    id: UUID
    render_job_id: UUID
    number: int
    provider: str
    model: str
    state: AttemptState = AttemptState.SENDING
    ref: dict[str, Any] | None = None
    polls: int = 0
    failure_code: FailureCode | None = None
    failure_message: str | None = None
    estimated_cost_micros: int = 0
    actual_cost_micros: int | None = None
    cost_source: CostSource | None = None
    price_version: str | None = None
    cost_uncertain: bool = False
    created_at: datetime
    deadline_at: datetime
    finished_at: datetime | None = None


JOBS = cast("Table", RenderJob.__table__)
ATTEMPTS = cast("Table", RenderAttempt.__table__)
JOBS_BY_ID = select(JOBS).where(any_of(RenderJob.id, "jobs")).order_by(RenderJob.id)
SEEN_JOBS = Query(JOBS_BY_ID, into=JobRow)
LOCKED_JOBS = Query(JOBS_BY_ID.with_for_update(), into=JobRow)
SEEN_ATTEMPTS = Query(select(ATTEMPTS).where(any_of(RenderAttempt.id, "attempts")), into=AttemptRow)
ATTEMPTS_OF_JOBS = Query(
    select(ATTEMPTS)
    .where(any_of(RenderAttempt.render_job_id, "jobs"))
    .order_by(RenderAttempt.number),
    into=AttemptRow,
)
INSERT_JOBS = BulkInsert(JOBS)
INSERT_ATTEMPTS = BulkInsert(ATTEMPTS)
# What may change after admission.
UPDATE_JOBS = BulkUpdate(
    JOBS,
    (
        "position",
        "retries",
        "state",
        "provider",
        "provider_model",
        "provider_mode",
        "progress",
        "queue_position",
        "error_code",
        "error_message",
        "notes",
        "output_id",
        "estimated_cost_micros",
        "actual_cost_micros",
        "updated_at",
        "finished_at",
    ),
)
UPDATE_ATTEMPTS = BulkUpdate(
    ATTEMPTS,
    (
        "state",
        "ref",
        "polls",
        "failure_code",
        "failure_message",
        "actual_cost_micros",
        "cost_source",
        "price_version",
        "cost_uncertain",
        "finished_at",
    ),
)
WHOLE_JOB = attrgetter(*INSERT_JOBS.columns)
WHOLE_ATTEMPT = attrgetter(*INSERT_ATTEMPTS.columns)
CHANGED_JOB = attrgetter(*UPDATE_JOBS.columns)
CHANGED_ATTEMPT = attrgetter(*UPDATE_ATTEMPTS.columns)


async def seen_jobs(driver: Driver, job_ids: Collection[UUID]) -> dict[UUID, JobRow]:
    """Return jobs as they are now."""
    return {job.id: job for job in await SEEN_JOBS.rows(driver, jobs=job_ids)}


async def seen_attempts(driver: Driver, attempt_ids: Collection[UUID]) -> dict[UUID, AttemptRow]:
    """Return attempts as they are now."""
    rows = await SEEN_ATTEMPTS.rows(driver, attempts=attempt_ids)
    return {attempt.id: attempt for attempt in rows}


async def locked_jobs(driver: Driver, job_ids: Collection[UUID]) -> dict[UUID, JobRow]:
    """Return jobs as they are now, locked until the transaction ends, by ascending id."""
    return {job.id: job for job in await LOCKED_JOBS.rows(driver, jobs=job_ids)}


async def attempts_of_jobs(
    driver: Driver, job_ids: Collection[UUID]
) -> dict[UUID, list[AttemptRow]]:
    """Return the attempts of each of many jobs, oldest first."""
    found: dict[UUID, list[AttemptRow]] = defaultdict(list)
    for attempt in await ATTEMPTS_OF_JOBS.rows(driver, jobs=job_ids):
        found[attempt.render_job_id].append(attempt)
    return found


async def insert_jobs(driver: Driver, jobs: Sequence[JobRow]) -> None:
    """Enter new jobs."""
    await INSERT_JOBS.write(driver, [WHOLE_JOB(job) for job in jobs])


async def insert_attempts(driver: Driver, attempts: Sequence[AttemptRow]) -> None:
    """Enter new attempts."""
    await INSERT_ATTEMPTS.write(driver, [WHOLE_ATTEMPT(attempt) for attempt in attempts])


async def write_jobs(driver: Driver, jobs: Sequence[JobRow]) -> None:
    """Store what became of locked jobs."""
    await UPDATE_JOBS.write(driver, [CHANGED_JOB(job) for job in jobs])


async def write_attempts(driver: Driver, attempts: Sequence[AttemptRow]) -> None:
    """Store what became of attempts whose jobs are locked."""
    await UPDATE_ATTEMPTS.write(driver, [CHANGED_ATTEMPT(attempt) for attempt in attempts])
