"""Whom a render of some kind would go to."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.routing.measurements import outlook
from medici.domain.routing.queries import published
from medici.domain.routing.rules import candidate_chain, governing_route
from medici.domain.routing.settings import OnModeration, OnUncertain, Strategy, Weighted
from medici.domain.routing.treating import provider_tests
from medici.domain.routing.treatment import Deviation, deviations
from medici.doors.http.context import AppResources, Now
from medici.doors.http.sessions import ReadSession
from medici.kernel.db.driver.lent import driver_of

router = APIRouter(prefix="/v1/config", tags=["configuration"])


class TreatmentOut(BaseModel):
    """A variant of a running experiment whose users are served by others, or by other models."""

    experiment_id: str
    variant_id: str
    candidate_chain: list[str]
    selected_model: str

    @classmethod
    def of(cls, deviation: Deviation) -> "TreatmentOut":
        return cls(
            experiment_id=deviation.experiment_id,
            variant_id=deviation.variant_id,
            candidate_chain=[candidate.provider for candidate in deviation.chain],
            selected_model=deviation.chain[0].model,
        )


class RoutePreviewOut(BaseModel):
    """The providers in the order in which they are tried.

    Where the route has ``weights``, each render draws its first provider by them; the heaviest
    stands first here. ``treatments`` are the exceptions that tests of providers make.
    """

    operation: Operation
    tier: Tier
    target_parts: list[Part]
    candidate_chain: list[str]
    selected_provider: str
    selected_model: str
    settings_version: int
    strategy: Strategy
    weights: list[Weighted]
    on_moderation: OnModeration
    on_uncertain: OnUncertain
    treatments: list[TreatmentOut]


@router.get("/provider-route-preview")
async def preview_route(
    session: ReadSession,
    resources: AppResources,
    now: Now,
    operation: Operation,
    tier: Tier = Tier.PREVIEW,
    target_part: Part = Part.FULL_ROOM,
    masked: Annotated[bool, Query(description="Whether only a marked part is to change.")] = False,
) -> RoutePreviewOut:
    """Show whom a render would go to by the settings in force; 400 ``no_provider_available``."""
    found = await published(session)
    choose = partial(
        candidate_chain,
        operation=operation,
        tier=tier,
        parts=(target_part,),
        registered=resources.providers.able(operation, tier, masked=masked),
        outlook=await outlook(session, now=now),
    )
    chain = choose(found.settings)
    route = governing_route(found.settings, operation, (target_part,))
    return RoutePreviewOut(
        operation=operation,
        tier=tier,
        target_parts=[target_part],
        candidate_chain=[candidate.provider for candidate in chain],
        selected_provider=chain[0].provider,
        selected_model=chain[0].model,
        settings_version=found.version,
        strategy=route.strategy,
        weights=list(route.weighted(tier)),
        on_moderation=route.on_moderation,
        on_uncertain=route.on_uncertain,
        treatments=[
            TreatmentOut.of(each)
            for each in deviations(
                await provider_tests(await driver_of(session), now=now), found.settings, choose
            )
        ],
    )
