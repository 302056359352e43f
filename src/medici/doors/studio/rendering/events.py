"""A job's progress as server-sent events. Each look reads the row, so any process can tell."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from medici.domain.rendering import queries
from medici.domain.rendering.models import RenderState
from medici.doors.http.auth import CurrentUser
from medici.doors.http.context import resources_of
from medici.doors.studio.links import Links, PictureLinks
from medici.doors.studio.rendering.renders import JobId, output_url
from medici.doors.studio.rendering.schemas import RenderStatusOut, status_out

LOOK_SECONDS = 1.0
MOST_LOOKS = 1200  # then the client connects anew

router = APIRouter(prefix="/v1/ai", tags=["renders"])


@router.get("/render-jobs/{job_id}/events", response_class=StreamingResponse)
async def render_job_events(
    job_id: JobId, request: Request, user: CurrentUser, links: PictureLinks
) -> StreamingResponse:
    """Stream a job's status as it changes, until it ends.

    Each ``status`` event carries the JSON of the status route. A comment line keeps the
    connection open while nothing changes.
    """
    first, state = await _look(request, job_id, user.id, links)
    return StreamingResponse(
        _changes(request, first, state, links, user.id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _changes(
    request: Request, shown: RenderStatusOut, state: RenderState, links: Links, user_id: str
) -> AsyncIterator[str]:
    yield _event(shown)
    for _ in range(MOST_LOOKS):
        if state.is_terminal or request.app.state.stopping or await request.is_disconnected():
            return
        await asyncio.sleep(LOOK_SECONDS)
        seen, state = await _look(request, shown.id, user_id, links)
        yield ": waiting\n\n" if seen == shown else _event(seen)
        shown = seen


async def _look(
    request: Request, job_id: UUID, user_id: str, links: Links
) -> tuple[RenderStatusOut, RenderState]:
    async with resources_of(request).database.reading() as session:
        job = await queries.own_job(session, job_id, user_id=user_id)
        return status_out(job, await output_url(session, job, links)), job.state


def _event(status: RenderStatusOut) -> str:
    return f"event: status\ndata: {status.model_dump_json()}\n\n"
