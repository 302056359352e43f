"""Following work that a provider has accepted, for many attempts at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.provider import Observation, Phase, Submission
from medici.domain.events import service as events
from medici.domain.events.facts import EventName
from medici.domain.rendering import rules
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
from medici.domain.rendering.work import POLL
from medici.jobs.bulk import Work, enqueue_all
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What a provider answered that took the work; ``chance`` in [0, 1) spreads the looks."""

    job_id: UUID
    attempt_id: UUID
    submission: Submission
    chance: float
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How far the work was when somebody looked."""

    job_id: UUID
    attempt_id: UUID
    observation: Observation
    now: datetime


async def accepted(
    session: AsyncSession,
    job_id: UUID,
    attempt_id: UUID,
    submission: Submission,
    *,
    chance: float,
    now: datetime,
) -> None:
    """Store one acceptance in a session's transaction."""
    acceptance = Acceptance(
        job_id=job_id, attempt_id=attempt_id, submission=submission, chance=chance, now=now
    )
    await accept_all(await driver_of(session), [acceptance])


async def accept_all(driver: Driver, acceptances: Sequence[Acceptance]) -> list[None]:
    """Store what providers accepted, in the transaction that queues the first look at each.

    What is queued comes before what it is for, as with a run that locks its own row first: so a
    webhook that comes meanwhile waits, and neither waits for the other.
    """
    if not acceptances:
        return []
    now = max(each.now for each in acceptances)
    await enqueue_all(driver, POLL, [_first_look(each) for each in acceptances], now=now)
    jobs, attempts = await _standing(driver, [each.job_id for each in acceptances])
    moved: list[JobRow] = []
    taken: list[AttemptRow] = []
    for each in acceptances:
        job, attempt = jobs[each.job_id], attempts[each.attempt_id]
        if not attempt.state.is_open:
            continue
        taken.append(_accepted(job, attempt, each.submission))
        if not job.state.is_terminal:
            moved.append(_shown(job, each.submission.observation, each.now))
    await write_attempts(driver, taken)
    await write_jobs(driver, moved)
    facts = [job_fact(job, EventName.RENDER_STATUS_UPDATED, now=now) for job in moved]
    await events.record_all(driver, facts, now=now)
    return [None] * len(acceptances)


async def observed(
    session: AsyncSession,
    job_id: UUID,
    attempt_id: UUID,
    observation: Observation,
    *,
    now: datetime,
) -> None:
    """Store one look in a session's transaction."""
    look = Look(job_id=job_id, attempt_id=attempt_id, observation=observation, now=now)
    await observe_all(await driver_of(session), [look])


async def observe_all(driver: Driver, looks: Sequence[Look]) -> list[None]:
    """Store how far providers have come."""
    if not looks:
        return []
    jobs, attempts = await _standing(driver, [look.job_id for look in looks])
    moved: list[JobRow] = []
    for look in looks:
        job, attempt = jobs[look.job_id], attempts[look.attempt_id]
        if attempt.state.is_open and not job.state.is_terminal:
            moved.append(_shown(job, look.observation, look.now))
    counted = [attempts[look.attempt_id] for look in looks]
    await write_attempts(driver, [replace(each, polls=each.polls + 1) for each in counted])
    await write_jobs(driver, moved)
    return [None] * len(looks)


async def _standing(
    driver: Driver, job_ids: Sequence[UUID]
) -> tuple[dict[UUID, JobRow], dict[UUID, AttemptRow]]:
    """Lock jobs and read their attempts, each by its id."""
    jobs = await locked_jobs(driver, set(job_ids))
    attempts = await attempts_of_jobs(driver, jobs.keys())
    return jobs, {attempt.id: attempt for each in attempts.values() for attempt in each}


def _accepted(job: JobRow, attempt: AttemptRow, submission: Submission) -> AttemptRow:
    known = replace(attempt, ref=dict(submission.ref))
    return known if job.state.is_terminal else replace(known, state=AttemptState.RUNNING)


def _first_look(acceptance: Acceptance) -> Work:
    wait = timedelta(seconds=rules.poll_delay_seconds(0, acceptance.chance))
    attempt_id = str(acceptance.attempt_id)
    return Work(
        attempt_id,
        {"render_job_id": str(acceptance.job_id), "attempt_id": attempt_id},
        run_at=acceptance.now + wait,
    )


def _shown(job: JobRow, observation: Observation, now: datetime) -> JobRow:
    running = observation.phase is not Phase.QUEUED
    progress = job.progress
    if observation.progress is not None:
        progress = max(progress, min(95, round(observation.progress * 100)))
    return replace(
        job,
        state=RenderState.RUNNING,
        queue_position=None if running else observation.position,
        progress=progress,
        updated_at=now,
    )
