"""Experiments that send the renders of some users elsewhere."""

from collections.abc import Mapping

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.changes import changed
from medici.domain.assignments.models import (
    AnalysisMode,
    Experiment,
    ExperimentRuntime,
    ExperimentStatus,
    ExposureMode,
    RolloutStatus,
)
from tests.doors.support import NOW
from tests.support.studio import Studio

CONTROL, OTHER = "control", "other"
Routing = Mapping[str, object]


def routes(first: str) -> dict[str, object]:
    """Return a routing that sends a restyled room to a provider first."""
    places = ("preview_provider", "final_provider")
    return {"operation_routes": {"restyle": dict.fromkeys(places, first)}}


def variant(variant_id: str, routing: Routing | None, weight: float = 50) -> dict[str, object]:
    config = {} if routing is None else {"routing": routing}
    return {"variant_id": variant_id, "weight": weight, "config": config}


TO_SCULPTOR = {CONTROL: None, OTHER: routes("sculptor")}
TO_ADA = {"ada": OTHER}  # whatever her id says
ONLY_CONTROL, ONLY_OTHER = variant(CONTROL, None), variant(OTHER, routes("sculptor"))


async def begun(
    studio: Studio,
    variants: Mapping[str, Routing | None] = TO_SCULPTOR,
    experiment_id: str = "providers",
    **setup: object,
) -> None:
    """Have an experiment run in a deployment."""
    async with studio.database.transaction() as session:
        await start(session, experiment_id, variants, **setup)


async def start(
    session: AsyncSession,
    experiment_id: str,
    variants: Mapping[str, Routing | None],
    **setup: object,
) -> None:
    """Have an experiment run in which every variant gets as many users; the first is control."""
    values: dict[str, object] = {
        "experiment_id": experiment_id,
        "name": experiment_id,
        "status": ExperimentStatus.RUNNING,
        "assignment_unit": "user_id",
        "primary_metric": "render_success_rate",
        "control_variant_id": next(iter(variants)),
        "seed": experiment_id,
        "bucket_version": 0,
        "traffic_percent": 100.0,
        "targeting": {},
        "namespace": None,
        "overrides": {},
        "exposure_mode": ExposureMode.ASSIGNMENT,
        "analysis_mode": AnalysisMode.SEQUENTIAL,
        "guardrails": {},
        "variants": [variant(name, routing) for name, routing in variants.items()],
        "phase": 1,
        "phase_started_at": NOW,
        "revision": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    session.add(Experiment(**{**values, **setup}))
    await session.flush()
    session.add(ExperimentRuntime(experiment_id=experiment_id, rollout_history=[]))
    await session.flush()
    changed(session)


async def change(session: AsyncSession, experiment_id: str, **setup: object) -> None:
    """Change the set-up of an experiment."""
    await session.execute(
        update(Experiment)
        .where(Experiment.experiment_id == experiment_id)
        .values(revision=Experiment.revision + 1, **setup)
    )
    changed(session)


async def pause(session: AsyncSession, experiment_id: str) -> None:
    await change(session, experiment_id, status=ExperimentStatus.PAUSED)


async def roll_out(
    session: AsyncSession, experiment_id: str, winner: str = OTHER, percent: int = 100
) -> None:
    """Put the ladder towards a winner on a step."""
    done = percent == 100
    await session.execute(
        update(ExperimentRuntime)
        .where(ExperimentRuntime.experiment_id == experiment_id)
        .values(
            winner_variant_id=winner,
            rollout_percent=percent,
            rollout_status=RolloutStatus.COMPLETED if done else RolloutStatus.ROLLING_OUT,
        )
    )
    changed(session)
