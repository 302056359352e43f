"""Boards: what a user made, project by project."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.rendering.boards import Project, projects_of
from medici.domain.rendering.rules import WIRE_STATUS
from medici.doors.http.auth import CurrentUser, OwnerOrOperator
from medici.doors.http.paging import Cursor, Limit, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.auth import UserId
from medici.doors.studio.links import Links, PictureLinks
from medici.doors.studio.listing import id_in
from medici.doors.studio.rendering.schemas import WireStatus

router = APIRouter(prefix="/v1/projects/board", tags=["projects"])


class ProjectOut(BaseModel):
    """One project. The cover is its newest picture, or the photo that it begins with."""

    project_id: str
    cover_image_url: str | None
    generation_count: int
    last_job_id: UUID
    last_style_id: str
    last_status: WireStatus
    last_output_url: str | None
    last_updated_at: datetime

    @classmethod
    def of(cls, project: Project, links: Links) -> "ProjectOut":
        newest = project.newest
        cover = project.cover or project.photo
        return cls.model_validate(
            {
                "project_id": newest.project_id,
                "cover_image_url": links.to(cover) if cover else newest.image_url,
                "generation_count": project.job_count,
                "last_job_id": newest.id,
                "last_style_id": newest.style_id,
                "last_status": WIRE_STATUS[newest.state],
                "last_output_url": links.to(project.output) if project.output else None,
                "last_updated_at": newest.updated_at,
            }
        )


class BoardOut(BaseModel):
    """A page of projects, the most recent first; ``next_cursor`` asks for the next one."""

    user_id: str
    projects: list[ProjectOut]
    next_cursor: str | None


@router.get("/me")
async def own_board(
    user: CurrentUser,
    session: ReadSession,
    links: PictureLinks,
    cursor: Cursor = None,
    limit: Limit = 30,
) -> BoardOut:
    """List one's own projects."""
    return await board_of(session, user.id, links, limit=limit, cursor=cursor)


@router.get("/{user_id}")
async def board(
    user_id: UserId,
    caller: OwnerOrOperator,
    session: ReadSession,
    links: PictureLinks,
    cursor: Cursor = None,
    limit: Limit = 30,
) -> BoardOut:
    """List a user's projects; for the user and for operators."""
    return await board_of(session, caller.acts_for(user_id), links, limit=limit, cursor=cursor)


async def board_of(
    session: AsyncSession, user_id: str, links: Links, *, limit: int, cursor: str | None = None
) -> BoardOut:
    """Return a page of a board by one look at the database."""
    found = await projects_of(session, user_id=user_id, limit=limit + 1, before=id_in(cursor))
    shown = found[:limit]
    more = len(found) > limit
    return BoardOut(
        user_id=user_id,
        projects=[ProjectOut.of(project, links) for project in shown],
        next_cursor=encode_cursor(str(shown[-1].newest.id)) if more else None,
    )
