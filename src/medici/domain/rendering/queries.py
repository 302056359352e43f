"""Reading renders; what a user may see is bound to the user."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.rendering.errors import RenderJobNotFound
from medici.domain.rendering.models import (
    IN_FLIGHT,
    RenderAttempt,
    RenderJob,
    RenderState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which of a user's jobs are wanted, newest first; ``before`` is the id to start below."""

    states: tuple[RenderState, ...] = ()
    project_id: str | None = None
    before: UUID | None = None
    limit: int = 50


async def own_job(session: AsyncSession, job_id: UUID, *, user_id: str) -> RenderJob:
    """Return the user's job.

    Raises:
        RenderJobNotFound: unknown or foreign, alike.
    """
    job = await any_job(session, job_id)
    if job.user_id != user_id:
        raise RenderJobNotFound
    return job


async def any_job(session: AsyncSession, job_id: UUID) -> RenderJob:
    """Return a job, whoever ordered it.

    Raises:
        RenderJobNotFound: no such job.
    """
    job = await session.get(RenderJob, job_id)
    if job is None:
        raise RenderJobNotFound
    return job


async def own_jobs(
    session: AsyncSession, *, user_id: str, wanted: JobFilter
) -> Sequence[RenderJob]:
    statement = select(RenderJob).where(RenderJob.user_id == user_id)
    if wanted.states:
        statement = statement.where(RenderJob.state.in_(wanted.states))
    if wanted.project_id is not None:
        statement = statement.where(RenderJob.project_id == wanted.project_id)
    if wanted.before is not None:
        statement = statement.where(RenderJob.id < wanted.before)
    rows = await session.scalars(statement.order_by(RenderJob.id.desc()).limit(wanted.limit))
    return rows.all()


async def locked_job(session: AsyncSession, job_id: UUID) -> RenderJob:
    """Return the job as stored now, locked until the transaction ends.

    Raises:
        RenderJobNotFound: no such job.
    """
    job = await session.get(RenderJob, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise RenderJobNotFound
    return job


async def attempts_of(session: AsyncSession, job_id: UUID) -> Sequence[RenderAttempt]:
    """Return a job's attempts, oldest first."""
    rows = await session.scalars(
        select(RenderAttempt)
        .where(RenderAttempt.render_job_id == job_id)
        .order_by(RenderAttempt.number)
    )
    return rows.all()


async def attempts_by_job(
    session: AsyncSession, job_ids: Sequence[UUID]
) -> dict[UUID, list[RenderAttempt]]:
    """Return the attempts of many jobs in one look."""
    grouped: dict[UUID, list[RenderAttempt]] = {job_id: [] for job_id in job_ids}
    rows = await session.scalars(
        select(RenderAttempt)
        .where(RenderAttempt.render_job_id.in_(job_ids))
        .order_by(RenderAttempt.number)
    )
    for attempt in rows:
        grouped[attempt.render_job_id].append(attempt)
    return grouped


async def silent_jobs(
    session: AsyncSession, *, before: datetime, limit: int
) -> Sequence[RenderJob]:
    """Return unfinished jobs without news since then, the longest silent first."""
    rows = await session.scalars(
        select(RenderJob)
        .where(IN_FLIGHT, RenderJob.updated_at < before)
        .order_by(RenderJob.updated_at)
        .limit(limit)
    )
    return rows.all()
