"""What an app needs as it starts, in one answer: for everybody, and for who is signed in."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.policy import StorePolicy
from medici.domain.plans import queries
from medici.domain.plans.models import Scalar
from medici.domain.routing.queries import PublishedSettings, published
from medici.doors.http.auth import CurrentUser
from medici.doors.http.context import AppResources, Now
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.auth import MeOut
from medici.doors.studio.catalogue.schemas import PlanOut
from medici.doors.studio.catalogue.styles import StyleOut
from medici.doors.studio.catalogue.variables_known import shown_to_apps
from medici.doors.studio.experiments.assigner import Look
from medici.doors.studio.experiments.schemas import ActiveOut, QueryAttributes
from medici.doors.studio.experiments.setups import CurrentSetups
from medici.doors.studio.home.answers import Answer, keep, kept
from medici.doors.studio.home.boards import BoardOut, board_of
from medici.doors.studio.home.profile import ProfileOut, profile_of
from medici.doors.studio.links import PictureLinks
from medici.kernel.db.driver.lent import driver_of

router = APIRouter(prefix="/v1", tags=["bootstrap"])


class ProviderDefaultsOut(BaseModel):
    """The provider settings in force, and their version."""

    default_provider: str
    fallback_chain: list[str]
    version: int

    @classmethod
    def of(cls, found: PublishedSettings) -> "ProviderDefaultsOut":
        return cls(
            default_provider=found.settings.default_provider,
            fallback_chain=list(found.settings.fallback_chain),
            version=found.version,
        )


class ConfigOut(BaseModel):
    """What is on offer. ``variables`` holds each variable's value as it counts now."""

    active_plans: list[PlanOut]
    styles: list[StyleOut]
    variables: Mapping[str, Scalar]
    provider_defaults: ProviderDefaultsOut


class SessionOut(BaseModel):
    """All that the first screens of an app show."""

    me: MeOut
    profile: ProfileOut
    board: BoardOut
    experiments: ActiveOut
    catalog: list[PlanOut]
    styles: list[StyleOut]
    variables: Mapping[str, Scalar]
    provider_defaults: ProviderDefaultsOut


@router.get("/config/bootstrap", response_model=ConfigOut)
async def config_bootstrap(request: Request, session: ReadSession) -> Response:
    """Return plans, styles, variables and provider defaults; anybody may ask.

    The answer has an ``ETag``: send it back as ``If-None-Match`` and get 304 while nothing has
    changed. Everybody can read variables here, so keep no secret in one.
    """
    defaults = ProviderDefaultsOut.of(await published(session))
    origin = (await queries.catalogue_revision(session), defaults)
    answer = kept(request.app, origin)
    if answer is None:
        answer = keep(request.app, Answer.of(origin, await _config(session, defaults)))
    return answer.to(request)


@router.get("/session/bootstrap/me")
async def session_bootstrap(
    user: CurrentUser,
    setups: CurrentSetups,
    session: DbSession,
    links: PictureLinks,
    resources: AppResources,
    now: Now,
    attributes: QueryAttributes,
    board_limit: Annotated[int, Query(ge=1, le=100)] = 30,
    experiment_limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SessionOut:
    """Return all that an app shows first: the user, their profile and board, and what is on offer.

    The day's first look brings the day's allowance, and a variant of each experiment that is new
    to the user. The answer has as many parts, and costs as many questions to the database, for a
    newcomer as for somebody with many projects.
    """
    offer = await _config(session, ProviderDefaultsOut.of(await published(session)))
    look = Look(
        user_id=user.id,
        attributes=attributes.told(user.platform),
        setups=setups,
        limit=experiment_limit,
        now=now,
    )
    return SessionOut(
        me=MeOut(user_id=user.id, platform=user.platform, expires_at=user.expires_at),
        profile=await profile_of(
            session, user.id, policy=StorePolicy.of(resources.settings), now=now
        ),
        board=await board_of(session, user.id, links, limit=board_limit),
        experiments=ActiveOut.of(user.id, await look.told_on(await driver_of(session))),
        catalog=offer.active_plans,
        styles=offer.styles,
        variables=offer.variables,
        provider_defaults=offer.provider_defaults,
    )


async def _config(session: AsyncSession, defaults: ProviderDefaultsOut) -> ConfigOut:
    return ConfigOut(
        active_plans=[PlanOut.of(plan) for plan in await queries.active_plans(session)],
        styles=[StyleOut.of(style) for style in await queries.active_styles(session)],
        variables=shown_to_apps(await queries.load_variables(session)),
        provider_defaults=defaults,
    )
