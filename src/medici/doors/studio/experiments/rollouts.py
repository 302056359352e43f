"""Moving experiments along the ladder towards their winner, on an operator's word."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from medici.domain.assignments.models import RolloutStatus
from medici.domain.experiments.service import reporting
from medici.domain.experiments.service.looking import Look
from medici.domain.experiments.service.rollout import evaluate, evaluate_all
from medici.doors.http.context import AppResources
from medici.doors.studio.experiments.acts import ExperimentAct
from medici.doors.studio.experiments.admin_schemas import ExperimentId
from medici.doors.studio.experiments.guardrails import DryRun, openings_of

MOST_HOURS = 1440

router = APIRouter(prefix="/v1/admin/experiments", tags=["experiments"])

Hours = Annotated[int, Query(ge=1, le=MOST_HOURS, description="How far back guardrails look.")]
RolloutLimit = Annotated[int, Query(ge=1, le=1000, description="Experiments at most.")]


class RolloutOut(BaseModel):
    """Where a ladder stood, and where it went. After a dry look it went nowhere, of course:
    ``next_rollout_percent`` and ``rollout_status`` are what they would be.

    ``blocked_reason`` is the first that applies; null where nothing stands in the way.
    """

    experiment_id: str
    checked_at: datetime
    dry_run: bool
    window_hours: int
    winner_variant_id: str | None
    recommendation_reason: str
    guardrails_clear: bool
    blocked_reason: str | None
    current_rollout_percent: int
    next_rollout_percent: int
    rollout_status: RolloutStatus
    applied: bool
    performance_total_assigned_users: int
    minimum_sample_size: int
    significance_alpha: float
    next_step_not_before: datetime | None


class RolloutRunOut(BaseModel):
    """A look at the ladders of running experiments."""

    checked_at: datetime
    dry_run: bool
    window_hours: int
    evaluated_count: int
    applied_count: int
    blocked_count: int
    results: list[RolloutOut]


@router.post("/rollout/evaluate-all")
async def evaluate_all_rollouts(
    act: ExperimentAct,
    resources: AppResources,
    hours: Hours = 168,
    dry_run: DryRun = True,
    limit: RolloutLimit = 200,
) -> RolloutRunOut:
    """Do the same with running experiments, those first that waited longest for it.

    One that cannot be evaluated is told with ``blocked_reason`` ``error:…``; the others go on.
    """
    look = Look.at(act.now, hours=hours, dry_run=dry_run)
    run = await evaluate_all(openings_of(resources), look, limit=limit, act=act)
    return RolloutRunOut.model_validate(reporting.of_rollouts(run))


@router.post("/{experiment_id}/rollout/evaluate")
async def evaluate_rollout(
    experiment_id: ExperimentId,
    act: ExperimentAct,
    resources: AppResources,
    hours: Hours = 168,
    dry_run: DryRun = True,
) -> RolloutOut:
    """Hand a winner to 10, 50 and then 100 percent of all users, one step per call.

    A winner that turns out to be significantly worse is taken back altogether. 404
    ``experiment_not_found``; 409 ``experiment_changed`` where it was changed meanwhile.
    """
    look = Look.at(act.now, hours=hours, dry_run=dry_run)
    told = await evaluate(openings_of(resources), experiment_id, look, act=act)
    return RolloutOut.model_validate(reporting.of_rollout(told))
