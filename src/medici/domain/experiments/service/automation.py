"""The automation: guardrails first, then the ladders of what they left running."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.experiments import audit
from medici.domain.experiments.audit import Act, Action
from medici.domain.experiments.service import failing
from medici.domain.experiments.service.guarding import GuardrailRun, guard_all
from medici.domain.experiments.service.looking import Look, Openings
from medici.domain.experiments.service.rollout import RolloutRun, evaluate_all
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database
from medici.kernel.db.exclusive import Taken, exclusively
from medici.kernel.errors import Kind, MediciError

NAME = "experiment_automation"  # of the lock
TARGET = "automation"  # in the audit
NAMED = 100  # experiments in an entry of the history
MILLISECOND = timedelta(milliseconds=1)
Closing: TypeAlias = Callable[[AsyncSession], Awaitable[None]]


class AutomationAlreadyRunning(MediciError):
    """One run at a time is enough."""

    kind = Kind.CONFLICT
    code = "automation_already_running"

    def __init__(self) -> None:
        super().__init__("another run of the automation has not ended yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An experiment that could not be evaluated; ``step`` says at what."""

    experiment_id: str
    step: str
    code: str

    def told(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomationRun:
    """What one run came to."""

    run_id: UUID
    look: Look
    rollout_limit: int
    guardrails: GuardrailRun
    rollouts: RolloutRun
    duration_ms: int = 0

    @property
    def summary(self) -> dict[str, dict[str, int]]:
        guardrails, rollouts = self.guardrails, self.rollouts
        return {
            "guardrails": {
                "evaluated_count": len(guardrails.evaluations),
                "breached_count": guardrails.breached_count,
                "paused_count": guardrails.paused_count,
            },
            "rollouts": {
                "evaluated_count": len(rollouts.results),
                "applied_count": len(rollouts.applied),
                "blocked_count": len(rollouts.blocked),
            },
        }

    @property
    def errors(self) -> Sequence[Failure]:
        of_guardrails = [
            Failure(experiment_id=each.experiment_id, step="guardrails", code=code)
            for each in self.guardrails.evaluations
            if (code := failing.code_in(each.verdict.skipped_reason))
        ]
        return of_guardrails + [
            Failure(experiment_id=each.experiment_id, step="rollout", code=code)
            for each in self.rollouts.results
            if (code := failing.code_in(each.blocked_reason))
        ]


async def no_more(_session: AsyncSession) -> None:
    """Have nothing to add to the end of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation:
    """What a run works with; ``closing`` is written together with its entry in the history."""

    database: Database
    openings: Openings
    clock: Clock
    closing: Closing = no_more

    async def run(self, run_id: UUID, look: Look, *, rollout_limit: int, act: Act) -> AutomationRun:
        """Look at guardrails, then at the ladders of what is still running.

        Raises:
            AutomationAlreadyRunning: another run is under way, here or in another process.
        """
        try:
            async with exclusively(self.database, NAME):
                return await self._run(run_id, look, rollout_limit=rollout_limit, act=act)
        except Taken as error:
            raise AutomationAlreadyRunning from error

    async def _run(
        self, run_id: UUID, look: Look, *, rollout_limit: int, act: Act
    ) -> AutomationRun:
        began_at = self.clock()
        guardrails = await guard_all(self.openings, look, act=act)
        rollouts = await evaluate_all(
            self.openings, look, limit=rollout_limit, act=act, verdicts=guardrails.verdicts
        )
        run = AutomationRun(
            run_id=run_id,
            look=look,
            rollout_limit=rollout_limit,
            guardrails=guardrails,
            rollouts=rollouts,
        )
        run = replace(run, duration_ms=_passed(began_at, self.clock()))
        async with self.openings.transaction() as session:
            await audit.record(
                session, Action.AUTOMATION_RUN, TARGET, act=act, metadata=_metadata(run)
            )
            await self.closing(session)
        return run


def _metadata(run: AutomationRun) -> dict[str, object]:
    counts = run.summary
    named = {
        "applied_experiment_ids": run.rollouts.applied[:NAMED],
        "blocked_experiment_ids": run.rollouts.blocked[:NAMED],
    }
    return {
        "run_id": str(run.run_id),
        "dry_run": run.look.dry_run,
        "window_hours": run.look.hours,
        "rollout_limit": run.rollout_limit,
        "duration_ms": run.duration_ms,
        "guardrails": counts["guardrails"],
        "rollouts": {**counts["rollouts"], **named},
        **named,
        "errors": [each.told() for each in run.errors[:NAMED]],
    }


def _passed(since: datetime, until: datetime) -> int:
    return max(0, round((until - since) / MILLISECOND))
