"""Making the routes of an experiment's winner everybody's. Operators."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from medici.domain.experiments.service.adopting import Adoption, Terms, adopt_routes
from medici.doors.http.context import AppResources
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.sessions import DbSession
from medici.doors.studio.experiments.acts import ExperimentAct
from medici.doors.studio.experiments.admin_schemas import ExperimentId
from medici.doors.studio.routing.history import SettingsChangeOut
from medici.doors.studio.routing.schemas import enableable

router = APIRouter(
    prefix="/v1/admin/experiments", tags=["experiments"], route_class=IdempotentRoute
)

DryRun = Annotated[bool, Query(description="Show what would change, and write nothing.")]
Force = Annotated[bool, Query(description="Do not wait until the ladder is completed.")]


class AdoptionOut(BaseModel):
    """What the winner's routes change of the provider settings ``version``.

    ``published_version`` is null where nothing was published: in a dry run, and where everybody is
    served so already.
    """

    experiment_id: str
    variant_id: str
    dry_run: bool
    version: int
    published_version: int | None
    changes: list[SettingsChangeOut]

    @classmethod
    def of(cls, adoption: Adoption, *, dry_run: bool) -> "AdoptionOut":
        return cls(
            experiment_id=adoption.experiment_id,
            variant_id=adoption.variant_id,
            dry_run=dry_run,
            version=adoption.version,
            published_version=adoption.published_version,
            changes=[
                SettingsChangeOut(
                    path=each.path, kind=each.kind, before=each.before, after=each.after
                )
                for each in adoption.changes
            ],
        )


@router.post("/{experiment_id}/rollout/publish-routes")
async def publish_routes(
    experiment_id: ExperimentId,
    act: ExperimentAct,
    resources: AppResources,
    session: DbSession,
    dry_run: DryRun = True,
    force: Force = False,
) -> AdoptionOut:
    """Publish the winner's routes as the next version of the provider settings.

    409 ``rollout_not_completed``, ``rollout_without_winner``, ``winner_without_routes`` or
    ``canary_running``; 400 tells why the routes do not go with the settings by now.
    """
    terms = Terms(registered=enableable(resources), force=force, dry_run=dry_run)
    adoption = await adopt_routes(session, experiment_id, terms=terms, act=act)
    return AdoptionOut.of(adoption, dry_run=dry_run)
