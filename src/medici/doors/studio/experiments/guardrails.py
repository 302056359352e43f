"""Looking at guardrails, on an operator's word."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from medici.domain.experiments.guardrails.judging import Scope
from medici.domain.experiments.guardrails.keys import Bound
from medici.domain.experiments.service import reporting
from medici.domain.experiments.service.guarding import guard_all
from medici.domain.experiments.service.looking import Look, Openings
from medici.doors.http.context import AppResources
from medici.doors.studio.experiments.acts import ExperimentAct
from medici.resources import Resources

DRY = "Tell what would be done, and change nothing."

router = APIRouter(prefix="/v1/admin/experiments/guardrails", tags=["experiments"])

DryRun = Annotated[bool, Query(description=DRY)]


class BreachOut(BaseModel):
    """A guardrail that does not hold.

    ``scope`` is ``variant`` where one variant breaches it and control does not, ``overall`` where
    only all of them together do, and ``global`` where control breaches it as well, so that it is
    probably not the experiment's doing.
    """

    metric_key: str
    operator: Bound
    threshold: float
    actual: float
    message: str
    variant_id: str | None
    scope: Scope
    control_actual: float | None


class EvaluationOut(BaseModel):
    """One experiment. ``violation_streak`` counts looks in a row that found a breach, this one
    included; after a dry one it is what it would be.
    """

    experiment_id: str
    name: str
    is_active: bool
    breached: bool
    paused: bool
    violation_streak: int
    required_streak: int
    skipped: bool
    skipped_reason: str | None
    breach_count: int
    guardrails: dict[str, object]
    breaches: list[BreachOut]
    would_pause: bool = Field(description="The streak is long enough, whether or not it was dry.")


class GuardrailRunOut(BaseModel):
    """A look at every running experiment that has guardrails."""

    checked_at: datetime
    window_hours: int
    dry_run: bool
    required_streak: int
    evaluated_count: int
    breached_count: int
    paused_count: int
    evaluations: list[EvaluationOut]


@router.post("/evaluate")
async def evaluate_guardrails(
    act: ExperimentAct,
    resources: AppResources,
    hours: Annotated[int, Query(ge=1, le=720, description="How far back to look.")] = 24,
    dry_run: DryRun = True,
) -> GuardrailRunOut:
    """Judge every running experiment by its guardrails, over the users that it serves.

    One that breaches them in too many looks in a row is paused; the variable
    ``experiment_guardrail_consecutive_runs_required`` says how many. A dry look counts for nothing.
    """
    look = Look.at(act.now, hours=hours, dry_run=dry_run)
    run = await guard_all(openings_of(resources), look, act=act)
    return GuardrailRunOut.model_validate(reporting.of_guardrails(run))


def openings_of(resources: Resources) -> Openings:
    """Return how a request opens sessions."""
    database = resources.database
    return Openings(reading=database.reading, transaction=database.transaction)
