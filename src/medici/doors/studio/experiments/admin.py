"""Experiments as operators set them up, see them and take them away."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from medici.domain.assignments.models import ExperimentStatus
from medici.domain.experiments import advice, reading
from medici.domain.experiments.form import set_up_of
from medici.domain.experiments.reading import Found, Place
from medici.domain.experiments.service import retiring
from medici.domain.experiments.service.setting_up import put
from medici.domain.experiments.variables import ExperimentPolicy, experiment_policy
from medici.doors.http.auth import Operator
from medici.doors.http.context import AppResources
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.paging import Cursor, InvalidCursor, Limit, decode_cursor, encode_cursor
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.catalogue.schemas import Deleted
from medici.doors.studio.experiments.acts import ExperimentAct
from medici.doors.studio.experiments.admin_answers import ExperimentOut
from medici.doors.studio.experiments.admin_schemas import ExperimentId, ExperimentIn, Revision
from medici.doors.studio.listing import NEXT_CURSOR
from medici.doors.studio.routing.schemas import enableable

router = APIRouter(
    prefix="/v1/admin/experiments", tags=["experiments"], route_class=IdempotentRoute
)


@router.get("")
async def list_experiments(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    include_archived: bool = False,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> list[ExperimentOut]:
    """List the experiments, the last changed first.

    While there are more, the header ``X-Next-Cursor`` holds the next page's ``cursor``.
    """
    found = await reading.page(
        session, limit=limit + 1, archived=include_archived, after=_place_in(cursor)
    )
    if len(found) > limit:
        last = found[limit - 1][0]
        response.headers[NEXT_CURSOR] = encode_cursor(
            last.updated_at.isoformat(), last.experiment_id
        )
    policy = await experiment_policy(session)
    return [_shown(each, policy) for each in found[:limit]]


@router.get("/{experiment_id}")
async def show_experiment(
    experiment_id: ExperimentId, _operator: Operator, session: ReadSession, response: Response
) -> ExperimentOut:
    """Show one experiment, archived ones too. The ETag is its revision."""
    found = await reading.experiment(session, experiment_id)
    response.headers["ETag"] = f'"{found[0].revision}"'
    return _shown(found, await experiment_policy(session))


@router.put("/{experiment_id}")
async def put_experiment(
    experiment_id: ExperimentId,
    body: ExperimentIn,
    act: ExperimentAct,
    resources: AppResources,
    session: DbSession,
    response: Response,
    revision: Revision,
    rebucket: Annotated[bool, Query(description="Draw everybody anew.")] = False,
) -> ExperimentOut:
    """Make an experiment, or change it; one that was archived lives again.

    Say which revision a change was made for by ``If-Match``, or ``revision`` in query or body: 409
    ``revision_conflict``. What cannot be is refused with 400. ``warnings`` tell what a change means
    for users who take part already.
    """
    done = await put(
        session,
        experiment_id,
        body.set_up(experiment_id),
        act=act,
        registered=enableable(resources),
        revision=body.revision if revision is None else revision,
        rebucket=rebucket,
    )
    response.headers["ETag"] = f'"{done.experiment.revision}"'
    return ExperimentOut.of(done.experiment, done.runtime, done.warnings)


@router.delete("/{experiment_id}")
async def delete_experiment(
    experiment_id: ExperimentId,
    act: ExperimentAct,
    session: DbSession,
    purge: Annotated[bool, Query(description="Forget who had which variant.")] = False,
) -> Deleted:
    """Take an experiment away: it assigns nobody and leaves the list; its results stay readable.

    404 ``experiment_not_found``, also where it was taken away before, unless that is to be purged.
    """
    if purge:
        await retiring.purge(session, experiment_id, act=act)
    else:
        await retiring.archive(session, experiment_id, act=act)
    return Deleted()


def _shown(found: Found, policy: ExperimentPolicy) -> ExperimentOut:
    experiment, runtime = found
    archived = experiment.status is ExperimentStatus.ARCHIVED
    warnings = () if archived else advice.standing(set_up_of(experiment), policy)
    return ExperimentOut.of(experiment, runtime, warnings)


def _place_in(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    moment, experiment_id = decode_cursor(cursor, str, str)
    try:
        updated_at = datetime.fromisoformat(str(moment))
    except ValueError as error:
        raise InvalidCursor from error
    if updated_at.tzinfo is None:
        raise InvalidCursor
    return Place(updated_at=updated_at, experiment_id=str(experiment_id))
