"""A user's renders by project: one line for each, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from medici.domain.pictures.models import Picture
from medici.domain.rendering.models import RenderJob

Job, Output, Cover, Photo = (
    aliased(RenderJob, name="job"),
    aliased(Picture, name="output"),
    aliased(Picture, name="cover"),
    aliased(Picture, name="photo"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a user did under one project id.

    ``output`` is the picture of the newest job and None while it has none, ``cover`` the newest
    picture of all, ``photo`` the upload that the newest job began with.
    """

    newest: RenderJob
    job_count: int
    output: Picture | None
    cover: Picture | None
    photo: Picture | None


async def projects_of(
    session: AsyncSession, *, user_id: str, limit: int, before: UUID | None = None
) -> Sequence[Project]:
    """Return a user's projects by their newest job, those below job ``before``.

    It is one statement, which leaps through an index from project to project: its cost follows
    the number of projects, and the number of jobs in those that are shown.
    """
    rows = await session.execute(_with_pictures(_page(user_id, limit, before)))
    return [
        Project(newest=newest, job_count=job_count, output=output, cover=cover, photo=photo)
        for newest, job_count, output, cover, photo in rows
    ]


def _page(user_id: str, limit: int, before: UUID | None) -> Select[Any]:
    """Select the newest job of each project, newest first."""
    names = _project_names(user_id).cte("projects", recursive=True)
    following = _project_names(user_id, after=names.c.project_id).scalar_subquery()
    names = names.union_all(select(following).where(names.c.project_id.is_not(None)))
    newest = (
        select(RenderJob.id)
        .where(RenderJob.user_id == user_id, RenderJob.project_id == names.c.project_id)
        .order_by(RenderJob.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = select(newest.label("id")).where(names.c.project_id.is_not(None)).subquery("newest")
    page = select(found.c.id).order_by(found.c.id.desc()).limit(limit)
    return page if before is None else page.where(found.c.id < before)


def _project_names(user_id: str, after: Any = None) -> Select[Any]:
    """Select the first of a user's project names, in their order, that comes after another."""
    first = select(func.min(RenderJob.project_id).label("project_id"))
    mine = first.where(RenderJob.user_id == user_id)
    return mine if after is None else mine.where(RenderJob.project_id > after)


def _with_pictures(page: Select[Any]) -> Select[Any]:
    shown = page.subquery("shown")
    others = aliased(RenderJob, name="others")
    same_project = (others.user_id == Job.user_id, others.project_id == Job.project_id)
    job_count = select(func.count()).select_from(others).where(*same_project).scalar_subquery()
    newest_output = (
        select(others.output_id)
        .where(*same_project, others.output_id.is_not(None))
        .order_by(others.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(Job, job_count, Output, Cover, Photo)
        .join(shown, shown.c.id == Job.id)
        .outerjoin(Output, Output.id == Job.output_id)
        .outerjoin(Cover, Cover.id == newest_output)
        .outerjoin(Photo, Photo.id == Job.image_id)
        .order_by(Job.id.desc())
    )
