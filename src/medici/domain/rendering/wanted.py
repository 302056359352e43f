"""What the runs of renders need to know before they ask a provider, read for many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from medici.domain.pictures.models import Picture
from medici.domain.rendering.rows import AttemptRow, JobRow, seen_attempts, seen_jobs
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver

PLACES = Query(
    select(Picture.id, Picture.key, Picture.content_type).where(any_of(Picture.id, "pictures"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInput:
    """Where an input lies: under ``key`` in our storage, or at an outside address."""

    field: str  # how the order calls it
    url: str
    key: str | None
    content_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A job that still wants its picture, and where its inputs lie."""

    job: JobRow
    image: StoredInput
    mask: StoredInput | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An attempt at a provider, and the job that it is for."""

    job: JobRow
    attempt: AttemptRow


async def wanted_all(driver: Driver, job_ids: Sequence[UUID]) -> list[Wanted | None]:
    """Return each job with its inputs; None for one that has ended."""
    jobs = await seen_jobs(driver, job_ids)
    open_jobs = [job for job in jobs.values() if not job.state.is_terminal]
    ids = {id_ for job in open_jobs for id_ in (job.image_id, job.mask_id) if id_ is not None}
    places = {row.id: row for row in await PLACES.rows(driver, pictures=ids)} if ids else {}
    wanted = {job.id: _wanted(job, places) for job in open_jobs}
    return [wanted.get(job_id) for job_id in job_ids]


async def watched_all(driver: Driver, attempt_ids: Sequence[UUID]) -> list[Watched]:
    """Return each attempt with its job."""
    attempts = await seen_attempts(driver, attempt_ids)
    jobs = await seen_jobs(driver, {attempt.render_job_id for attempt in attempts.values()})
    found = [attempts[attempt_id] for attempt_id in attempt_ids]
    return [Watched(job=jobs[attempt.render_job_id], attempt=attempt) for attempt in found]


def _wanted(job: JobRow, places: dict[UUID, Any]) -> Wanted:
    mask = None
    if job.mask_url is not None:
        mask = _input("mask_url", job.mask_url, places.get(job.mask_id) if job.mask_id else None)
    image = places.get(job.image_id) if job.image_id else None
    return Wanted(job=job, image=_input("image_url", job.image_url, image), mask=mask)


def _input(field: str, url: str, place: Any | None) -> StoredInput:
    return StoredInput(
        field=field,
        url=url,
        key=place.key if place else None,
        content_type=place.content_type if place else None,
    )
