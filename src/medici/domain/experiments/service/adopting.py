"""Making the routes of a winner everybody's: as published provider settings, not as a variant."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Experiment, ExperimentRuntime, RolloutStatus
from medici.domain.experiments import audit, reading
from medici.domain.experiments.audit import Act
from medici.domain.routing import drafting, treatment
from medici.domain.routing.amending import Amendment, publish_amendment, weigh
from medici.domain.routing.changes import FieldChange
from medici.domain.routing.errors import SettingsRefused
from medici.domain.routing.queries import published
from medici.kernel.errors import Kind, MediciError


class RolloutNotCompleted(MediciError):
    """The ladder has not handed the winner to everybody yet."""

    kind = Kind.CONFLICT
    code = "rollout_not_completed"


class NoWinner(MediciError):
    """The ladder never had a winner, or its variant is gone."""

    kind = Kind.CONFLICT
    code = "rollout_without_winner"


class NoRoutes(MediciError):
    """The winner does not say anything about providers."""

    kind = Kind.CONFLICT
    code = "winner_without_routes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What the winner's routes change of the settings in force.

    ``published_version`` is None where nothing was published: in a dry run, or since everybody is
    served so already.
    """

    experiment_id: str
    variant_id: str
    version: int  # in force before
    changes: tuple[FieldChange, ...]
    published_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How routes are adopted: ``force`` does not wait for the end of the ladder."""

    registered: Collection[str]  # providers that may be enabled here
    force: bool = False
    dry_run: bool = True


async def adopt_routes(
    session: AsyncSession, experiment_id: str, *, terms: Terms, act: Act
) -> Adoption:
    """Publish the winner's routes as the next version of the provider settings.

    The experiment goes on as it is; both audits tell of the act.

    Raises:
        ExperimentNotFound: there is none of that id.
        NoWinner, RolloutNotCompleted, NoRoutes: there is nothing to adopt.
        CanaryRunning: a version of the provider settings is being tried.
        SettingsRefused: the routes do not go with what is in force, or is being drafted, by now.
    """
    experiment, runtime = await reading.locked(session, experiment_id)
    variant_id = _winner(runtime, force=terms.force)
    routing = _routing(experiment, variant_id)
    in_force = (await published(session)).settings
    if problems := treatment.check(in_force, routing, terms.registered):
        raise SettingsRefused([(each.code, each.message) for each in problems])
    amendment = await weigh(session, routing, registered=terms.registered)
    adoption = Adoption(
        experiment_id=experiment_id,
        variant_id=variant_id,
        version=amendment.version,
        changes=amendment.changes,
    )
    if terms.dry_run or not amendment.changes:
        return adoption
    return await _published(session, adoption, amendment, terms=terms, act=act)


def _winner(runtime: ExperimentRuntime, *, force: bool) -> str:
    if runtime.winner_variant_id is None:
        raise NoWinner
    if runtime.rollout_status is not RolloutStatus.COMPLETED and not force:
        raise RolloutNotCompleted(f"the ladder stands at {runtime.rollout_percent} percent")
    return runtime.winner_variant_id


def _routing(experiment: Experiment, variant_id: str) -> treatment.Routing:
    configs = {each["variant_id"]: each.get("config") or {} for each in experiment.variants}
    if variant_id not in configs:
        raise NoWinner(f"variant {variant_id} is gone")
    routing = treatment.routing_of(configs[variant_id])
    if routing is None:
        raise NoRoutes(f"variant {variant_id} changes no routes")
    return routing


async def _published(
    session: AsyncSession, adoption: Adoption, amendment: Amendment, *, terms: Terms, act: Act
) -> Adoption:
    written = await publish_amendment(
        session,
        amendment,
        act=_routing_act(act, adoption),
        registered=terms.registered,
        metadata={"experiment_id": adoption.experiment_id, "variant_id": adoption.variant_id},
    )
    await audit.record(
        session,
        audit.Action.ROUTES_PUBLISHED,
        adoption.experiment_id,
        act=act,
        metadata={
            "variant_id": adoption.variant_id,
            "version": written.version,
            "changes": drafting.shown(adoption.changes),
            "forced": terms.force,
        },
    )
    return replace(adoption, published_version=written.version)


def _routing_act(act: Act, adoption: Adoption) -> drafting.Act:
    return drafting.Act(
        operator=act.operator,
        actor=act.actor,
        reason=act.reason or f"winner_of_{adoption.experiment_id}",
        request_id=act.request_id,
        now=act.now,
    )
