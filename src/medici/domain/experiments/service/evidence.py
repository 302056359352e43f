"""What the ladder goes by, read before anything is locked, since that may take seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Assignment, Experiment, ExperimentRuntime
from medici.domain.experiments import ladder, reading
from medici.domain.experiments.analysis.deciding import decided
from medici.domain.experiments.analysis.performance import as_json, performance
from medici.domain.experiments.decisions import Decided
from medici.domain.experiments.guardrails.judging import Verdict
from medici.domain.experiments.ladder import Rung
from medici.domain.experiments.reading import Found
from medici.domain.experiments.service.guarding import verdicts_of
from medici.domain.experiments.service.looking import Look
from medici.domain.experiments.variables import ExperimentPolicy, experiment_policy

CLEAR = Verdict()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was found out about an experiment.

    ``decided`` is None where the ladder could not move anyhow; ``final`` is the performance to keep
    where the next step is the last.
    """

    found: Found
    policy: ExperimentPolicy
    verdict: Verdict = CLEAR
    decided: Decided | None = None
    users: int = 0
    final: Mapping[str, object] | None = None

    @property
    def experiment(self) -> Experiment:
        return self.found[0]

    @property
    def reason(self) -> str:
        return self.decided.recommendation.reason if self.decided else ""

    @property
    def recommended(self) -> str | None:
        return self.decided.recommendation.variant_id if self.decided else None


async def gather(
    session: AsyncSession, experiment_id: str, look: Look, verdict: Verdict | None
) -> Evidence:
    """Find out how an experiment stands; guardrails are looked at if there is no verdict yet.

    Raises:
        ExperimentNotFound: there is none of that id.
    """
    found = await reading.experiment(session, experiment_id)
    experiment, runtime = found
    policy = await experiment_policy(session)
    if ladder.standstill(rung_of(runtime), active=experiment.is_active) is not None:
        return Evidence(found=found, policy=policy, users=await _enrolled(session, experiment))
    outcome = await decided(session, experiment, policy=policy, now=look.now)
    if verdict is None:
        verdict = (await verdicts_of(session, [experiment], policy, look))[experiment_id]
    return Evidence(
        found=found,
        policy=policy,
        verdict=verdict,
        decided=outcome,
        users=outcome.users,
        final=await _final(session, found, policy, look),
    )


def rung_of(runtime: ExperimentRuntime) -> Rung:
    """Return where the ladder of an experiment stands."""
    return Rung(
        status=runtime.rollout_status,
        percent=runtime.rollout_percent,
        winner_variant_id=runtime.winner_variant_id,
        changed_at=runtime.rollout_changed_at,
    )


async def _final(
    session: AsyncSession, found: Found, policy: ExperimentPolicy, look: Look
) -> Mapping[str, object] | None:
    experiment, runtime = found
    if look.dry_run or runtime.rollout_percent != ladder.STEPS[-2]:
        return None
    told = await performance(session, experiment, policy=policy, hours=look.hours, now=look.now)
    return as_json(told)


async def _enrolled(session: AsyncSession, experiment: Experiment) -> int:
    enrolled = select(func.count()).where(
        Assignment.experiment_id == experiment.experiment_id,
        Assignment.phase == experiment.phase,
        Assignment.enrolled.is_(True),
    )
    return await session.scalar(enrolled) or 0
