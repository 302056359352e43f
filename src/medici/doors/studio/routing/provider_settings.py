"""Provider settings: what is in force, the draft, putting it in force and going back. Operators."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import JsonValue

from medici.domain.routing import history
from medici.domain.routing.checking import warnings
from medici.domain.routing.drafting import Act, change_draft
from medici.domain.routing.history import Draft
from medici.domain.routing.publishing import EVERYBODY, Rollout, publish, roll_back
from medici.domain.routing.queries import published
from medici.doors.http.auth import Operator
from medici.doors.http.context import AppResources
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.routing.schemas import (
    HIGHEST,
    BodyAct,
    DraftOut,
    InvalidRevision,
    NamedAct,
    PublicationIn,
    PublishedOut,
    Revision,
    Signed,
    VersionOut,
    enableable,
)
from medici.resources import Resources

REVISION = "revision"
TOLD = frozenset({REVISION, "warnings", "version", "canary_version"})  # by us, beside the settings

router = APIRouter(
    prefix="/v1/admin/provider-settings", tags=["provider settings"], route_class=IdempotentRoute
)

Patch = Annotated[
    dict[str, JsonValue],
    Body(
        description="Any part of the settings. Objects are merged, null removes, lists replace.",
        examples=[{"default_provider": "fal", "in_flight_caps": {"fal": {"total": 40}}}],
    ),
]
Number = Annotated[int, Path(ge=1, le=HIGHEST)]


@router.get("")
async def show_published(
    _operator: Operator, session: ReadSession, response: Response
) -> PublishedOut:
    """Show the settings in force. The ETag is their version."""
    found = await published(session)
    response.headers["ETag"] = f'"{found.version}"'
    return PublishedOut.of(found)


@router.put("")
async def put_in_force(
    patch: Patch, act: NamedAct, resources: AppResources, session: DbSession, revision: Revision
) -> PublishedOut:
    """Merge a change into the draft and publish it at once.

    Refused as changing the draft and publishing are.
    """
    await _drafted(patch, act, resources, session, revision)
    await publish(session, act=act, registered=enableable(resources))
    return PublishedOut.of(await published(session))


@router.get("/draft")
async def show_draft(
    _operator: Operator, session: ReadSession, resources: AppResources, response: Response
) -> DraftOut:
    """Show the draft, with what an operator should know before publishing it."""
    return _draft_out(await history.draft(session), resources, response)


@router.put("/draft")
async def put_draft(
    patch: Patch,
    act: NamedAct,
    resources: AppResources,
    session: DbSession,
    response: Response,
    revision: Revision,
) -> DraftOut:
    """Merge a change into the draft.

    Say which revision it was made for by ``If-Match``, or ``revision`` in query or body: 409
    ``draft_changed`` tells what has changed since. 400 tells why nobody could publish the result.
    """
    draft = await _drafted(patch, act, resources, session, revision)
    return _draft_out(draft, resources, response)


@router.post("/publish")
async def publish_draft(
    signed: Signed,
    resources: AppResources,
    session: DbSession,
    revision: Revision,
    body: PublicationIn | None = None,
    percent: Annotated[int, Query(ge=1, le=EVERYBODY, description="Of the users.")] = EVERYBODY,
) -> VersionOut:
    """Make the draft the next version; below 100 percent as a canary, beside the one in force.

    Refused with 409 ``canary_running`` and ``draft_changed``.
    """
    given = body or PublicationIn()
    written = await publish(
        session,
        act=signed.act(given.actor, given.reason),
        registered=enableable(resources),
        revision=revision,
        rollout=Rollout(percent=percent, limits=given.limits),
    )
    return VersionOut.of(written)


@router.post("/rollback/{version}")
async def roll_back_to(
    version: Number, act: BodyAct, resources: AppResources, session: DbSession
) -> VersionOut:
    """Publish an older version's content as a new version; the draft begins from it again.

    A running canary ends. 400 ``provider_settings_version_not_found``.
    """
    return VersionOut.of(
        await roll_back(session, version, act=act, registered=enableable(resources))
    )


async def _drafted(
    patch: dict[str, JsonValue],
    act: Act,
    resources: Resources,
    session: DbSession,
    revision: int | None,
) -> Draft:
    return await change_draft(
        session,
        {name: value for name, value in patch.items() if name not in TOLD},
        act=act,
        registered=enableable(resources),
        revision=_revision_in(patch) if revision is None else revision,
    )


def _revision_in(patch: dict[str, JsonValue]) -> int | None:
    revision = patch.get(REVISION)
    if revision is None or (isinstance(revision, int) and not isinstance(revision, bool)):
        return revision
    raise InvalidRevision


def _draft_out(draft: Draft, resources: Resources, response: Response) -> DraftOut:
    response.headers["ETag"] = f'"{draft.revision}"'
    return DraftOut.of(draft, warnings(draft.settings, resources.providers.able))
