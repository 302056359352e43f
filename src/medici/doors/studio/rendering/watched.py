"""A render as operators see it."""

from fastapi import APIRouter

from medici.domain.rendering import queries
from medici.doors.http.auth import Operator
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.links import PictureLinks
from medici.doors.studio.rendering.renders import JobId, output_url
from medici.doors.studio.rendering.schemas import WatchedJobOut, watched_out

router = APIRouter(prefix="/v1/admin/render-jobs", tags=["renders"])


@router.get("/{job_id}")
async def watch_render_job(
    job_id: JobId, _operator: Operator, session: ReadSession, links: PictureLinks
) -> WatchedJobOut:
    """Show anybody's job, and what its providers were chosen by; 404 ``job_not_found``."""
    job = await queries.any_job(session, job_id)
    attempts = await queries.attempts_of(session, job_id)
    return watched_out(job, attempts, await output_url(session, job, links))
