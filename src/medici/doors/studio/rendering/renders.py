"""Render jobs: order one, follow it, list them, cancel."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.pictures.queries import pictures_by_id
from medici.domain.rendering import queries
from medici.domain.rendering.errors import CreditsMissing, PreviewRequired, RenderJobNotFound
from medici.domain.rendering.models import RenderJob
from medici.domain.rendering.orders import Application, RenderOrder
from medici.domain.rendering.queries import JobFilter
from medici.domain.rendering.rules import WIRE_STATUS
from medici.domain.rendering.service.cancel import cancel
from medici.domain.routing import queries as routing
from medici.doors.http.auth import CurrentUser, bearer, bearer_token, current_user
from medici.doors.http.context import AppResources, Now, resources_of
from medici.doors.http.errors import failure_of, failure_response
from medici.doors.http.hot import HotRoute, json_response, quickly
from medici.doors.http.paging import Cursor, InvalidCursor, Limit, decode_cursor, encode_cursor
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.links import Links, PictureLinks
from medici.doors.studio.rendering.admissions import KeyedSession, RenderAdmissions, admissions_of
from medici.doors.studio.rendering.orders import render_order
from medici.doors.studio.rendering.schemas import (
    CancelOut,
    ProvidersOut,
    RenderJobIn,
    RenderJobOut,
    RenderJobsOut,
    RenderStatusOut,
    ShortText,
    WireStatus,
    job_out,
    states_of,
    status_out,
)
from medici.kernel.ids import new_id, parse_id

router = APIRouter(prefix="/v1/ai", tags=["renders"], route_class=HotRoute)


async def known_id(job_id: str) -> UUID:
    """Read a job id; what is none is a job that nobody has."""
    found = parse_id(job_id)
    if found is None:
        raise RenderJobNotFound
    return found


JobId = Annotated[UUID, Depends(known_id)]


@router.get("/providers")
async def providers(resources: AppResources, session: ReadSession) -> ProvidersOut:
    """Tell which providers there are and which of them serve."""
    settings = (await routing.published(session)).settings
    return ProvidersOut(
        registered=sorted(resources.providers.names),
        enabled=list(settings.enabled_providers),
        default=settings.default_provider,
        fallback_chain=list(settings.fallback_chain),
    )


async def _submitted_quickly(request: Request) -> Response | None:
    """Do the same for a readable body that comes as JSON without a key."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return None
    try:
        body = RenderJobIn.model_validate_json(await request.body())
    except ValidationError:
        return None
    user = await current_user(request, await bearer(request, await bearer_token(request)))
    order = await render_order(request, body, user, Links(request))
    answer = await submit_render_job(
        request, user, order, resources_of(request), admissions_of(request), None
    )
    return answer if isinstance(answer, Response) else json_response(answer)


@router.post("/render-jobs", response_model=RenderJobOut)
@quickly(_submitted_quickly)
async def submit_render_job(
    request: Request,
    user: CurrentUser,
    order: Annotated[RenderOrder, Depends(render_order)],
    resources: AppResources,
    admissions: RenderAdmissions,
    keyed: KeyedSession,
) -> RenderJobOut | Response:
    """Queue a render and hold its price in credits.

    Refused with 400 for an unusable address, 402 ``insufficient_credits``,
    409 ``preview_required_before_final`` and 429 ``too_many_jobs_in_flight``.
    """
    application = Application(
        job_id=new_id(),
        user_id=user.id,
        order=order,
        registered=resources.providers.able(
            order.operation, order.tier, masked=order.mask is not None
        ),
    )
    try:
        job = await admissions.admit(application, keyed)
    except (PreviewRequired, CreditsMissing) as refused:
        # Answered rather than raised, so that the fact of the refusal is committed.
        return failure_response(request.scope, failure_of(refused))
    return job_out(job, (), None)


@router.get("/render-jobs")
async def list_render_jobs(
    user: CurrentUser,
    session: ReadSession,
    links: PictureLinks,
    status: WireStatus | None = None,
    project_id: ShortText | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> RenderJobsOut:
    """List one's own jobs, newest first."""
    wanted = JobFilter(
        states=states_of(status) if status else (),
        project_id=project_id,
        before=_before(cursor),
        limit=limit,
    )
    jobs = await queries.own_jobs(session, user_id=user.id, wanted=wanted)
    full = len(jobs) == limit
    return RenderJobsOut(
        jobs=await _shown(session, jobs, links),
        next_cursor=encode_cursor(str(jobs[-1].id)) if full else None,
    )


@router.get("/render-jobs/{job_id}")
async def render_job_status(
    job_id: JobId, user: CurrentUser, session: ReadSession, links: PictureLinks
) -> RenderStatusOut:
    """Tell how far a job is; once it is completed, where its picture lies."""
    job = await queries.own_job(session, job_id, user_id=user.id)
    return status_out(job, await output_url(session, job, links))


@router.post("/render-jobs/{job_id}/cancel")
async def cancel_render_job(
    job_id: JobId, user: CurrentUser, session: DbSession, now: Now
) -> CancelOut:
    """End a job that has not ended; its price goes back at once."""
    job, canceled = await cancel(session, job_id, user_id=user.id, now=now)
    return CancelOut(id=job.id, canceled=canceled, status=WIRE_STATUS[job.state])


async def output_url(session: AsyncSession, job: RenderJob, links: Links) -> str | None:
    """Return a fresh address of the job's picture; None while there is none."""
    if job.output_id is None:
        return None
    return links.to((await pictures_by_id(session, [job.output_id]))[job.output_id])


async def _shown(
    session: AsyncSession, jobs: Sequence[RenderJob], links: Links
) -> list[RenderJobOut]:
    """Shape many jobs with two look-ups, however many there are."""
    attempts = await queries.attempts_by_job(session, [job.id for job in jobs])
    outputs = await pictures_by_id(session, [job.output_id for job in jobs if job.output_id])
    return [
        job_out(job, attempts[job.id], links.to(outputs[job.output_id]) if job.output_id else None)
        for job in jobs
    ]


def _before(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    (last,) = decode_cursor(cursor, str)
    before = parse_id(str(last))
    if before is None:
        raise InvalidCursor
    return before
