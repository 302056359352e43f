"""Guardrails and ladders in one run, and the runs that there were."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from medici.domain.experiments import audit
from medici.domain.experiments.audit import Action
from medici.domain.experiments.service import reporting
from medici.domain.experiments.service.automation import Automation
from medici.domain.experiments.service.looking import Look
from medici.doors.http.auth import Operator
from medici.doors.http.context import AppResources
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.experiments.acts import ExperimentAct
from medici.doors.studio.experiments.audit import ExperimentAuditOut
from medici.doors.studio.experiments.guardrails import DryRun, GuardrailRunOut, openings_of
from medici.doors.studio.experiments.rollouts import Hours, RolloutLimit, RolloutRunOut
from medici.kernel.ids import new_id

router = APIRouter(prefix="/v1/admin/experiments/automation", tags=["experiments"])


class FailureOut(BaseModel):
    """An experiment that could not be evaluated, at ``guardrails`` or ``rollout``, and why."""

    experiment_id: str
    step: str
    code: str


class AutomationRunOut(BaseModel):
    """One run. What guardrails paused in it was not rolled out in it."""

    run_id: UUID
    checked_at: datetime
    dry_run: bool
    window_hours: int
    rollout_limit: int
    duration_ms: int
    guardrails: GuardrailRunOut
    rollouts: RolloutRunOut
    errors: list[FailureOut]


@router.post("/run")
async def run_automation(
    act: ExperimentAct,
    resources: AppResources,
    hours: Hours = 168,
    dry_run: DryRun = True,
    rollout_limit: RolloutLimit = 200,
) -> AutomationRunOut:
    """Look at guardrails, then at the ladders of what is still running.

    Each experiment is settled for itself, so a run that is interrupted leaves nothing half done.
    409 ``automation_already_running``. Dry runs are in the history, too.
    """
    automation = Automation(
        database=resources.database, openings=openings_of(resources), clock=resources.clock
    )
    look = Look.at(act.now, hours=hours, dry_run=dry_run)
    run = await automation.run(new_id(), look, rollout_limit=rollout_limit, act=act)
    return AutomationRunOut.model_validate(reporting.of_automation(run))


@router.get("/history")
async def automation_history(
    _operator: Operator, session: ReadSession, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> list[ExperimentAuditOut]:
    """List the runs, newest first, with what each came to."""
    entries = await audit.entries(session, limit=limit, action=Action.AUTOMATION_RUN)
    return [ExperimentAuditOut.of(entry) for entry in entries]
