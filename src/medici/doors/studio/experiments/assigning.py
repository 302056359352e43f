"""Which variants users get, and what they have seen."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError

from medici.domain.assignments.service.exposing import expose
from medici.doors.http.auth import Caller, OwnerOrOperator, bearer, bearer_token, caller
from medici.doors.http.context import Now, resources_of
from medici.doors.http.hot import HotRoute, json_response, quickly
from medici.doors.http.sessions import DbSession
from medici.doors.studio.experiments.asking import Wish
from medici.doors.studio.experiments.assigner import Assigner, Look, assigner_of
from medici.doors.studio.experiments.schemas import (
    ActiveOut,
    ActiveQuery,
    AssignIn,
    AssignOut,
    ExposuresIn,
    ExposuresOut,
    QueryAttributes,
    RejectedOut,
    active_json,
)
from medici.doors.studio.experiments.setups import CurrentSetups, setups_kept
from medici.doors.studio.rendering.admissions import KeyedSession
from medici.kernel.db.driver.lent import driver_of

router = APIRouter(prefix="/v1/experiments", tags=["experiments"], route_class=HotRoute)


async def _assigner(request: Request) -> Assigner:
    return assigner_of(request)


TheAssigner = Annotated[Assigner, Depends(_assigner)]


async def _assigned_quickly(request: Request) -> Response | None:
    """Do the same for a readable body that comes as JSON without a key."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return None
    try:
        body = AssignIn.model_validate_json(await request.body())
    except ValidationError:
        return None
    token = await bearer(request, await bearer_token(request))
    asking = await caller(request, token, request.headers.get("x-admin-token"))
    return json_response(await assign(asking, body, assigner_of(request), None))


@router.post("/assign")
@quickly(_assigned_quickly)
async def assign(
    asking: OwnerOrOperator,
    body: AssignIn,
    assigner: TheAssigner,
    keyed: KeyedSession,
) -> AssignOut:
    """Tell which variant of an experiment a user gets, and keep it that way.

    404 ``experiment_not_found``; 409 ``experiment_inactive`` where it does not run: go on with
    what is built into the app.
    """
    wish = Wish(
        user_id=asking.acts_for(body.user_id),
        experiment_id=body.experiment_id,
        attributes=body.attributes.told(_platform(asking, body.user_id)),
        expose=body.expose,
    )
    return AssignOut.of(await assigner.assign(wish, keyed))


async def _active_quickly(request: Request) -> Response | None:
    """Do the same for a query that is as it should be."""
    try:
        query = ActiveQuery.model_validate(dict(request.query_params))
    except ValidationError:
        return None
    token = await bearer(request, await bearer_token(request))
    asking = await caller(request, token, request.headers.get("x-admin-token"))
    return await active(
        request.path_params["user_id"],
        asking,
        query,
        await setups_kept(request).current(),
        assigner_of(request),
        resources_of(request).now(),
        query.limit,
    )


@router.get("/active/{user_id}", response_model=ActiveOut)
@quickly(_active_quickly)
async def active(
    user_id: str,
    asking: OwnerOrOperator,
    attributes: QueryAttributes,
    setups: CurrentSetups,
    assigner: TheAssigner,
    now: Now,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Tell a user's variants in all experiments that run and serve them one, the oldest first.

    Who had no variant yet gets and keeps one. Experiments that leave the user out are not listed.
    """
    look = Look(
        user_id=asking.acts_for(user_id),
        attributes=attributes.told(_platform(asking, user_id)),
        setups=setups,
        limit=limit,
        now=now,
    )
    body = active_json(user_id, await assigner.look(look))
    return Response(body, media_type="application/json")


@router.post("/exposures")
async def take_exposures(
    asking: OwnerOrOperator, body: ExposuresIn, session: DbSession, now: Now
) -> ExposuresOut:
    """Note which variants a user was shown, up to 500 at once, each variant once a day.

    From its first exposure on a user's outcomes count. What cannot be taken stands in
    ``rejected`` with its ``index`` and a ``code``: ``experiment_not_found``, ``variant_not_found``
    or ``not_assigned``.
    """
    taken = await expose(
        await driver_of(session),
        asking.acts_for(body.user_id),
        [each.sighting(now) for each in body.exposures],
        now=now,
    )
    return ExposuresOut(
        accepted=taken.accepted,
        duplicates=taken.duplicates,
        rejected=[RejectedOut(index=index, code=code) for index, code in taken.rejected.items()],
    )


def _platform(asking: Caller, user_id: str) -> str | None:
    """Return the platform that a user signed in on, if they ask for themselves."""
    own = asking.user is not None and asking.user.id == user_id
    return asking.user.platform if own and asking.user else None
