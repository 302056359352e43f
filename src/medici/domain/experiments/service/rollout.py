"""Looking at ladders, and moving those that may move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import (
    Experiment,
    ExperimentRuntime,
    ExperimentStatus,
    RolloutStatus,
)
from medici.domain.experiments import reading
from medici.domain.experiments.audit import Act
from medici.domain.experiments.guardrails.judging import Verdict
from medici.domain.experiments.ladder import Blocked, Move
from medici.domain.experiments.reading import Found
from medici.domain.experiments.service import failing
from medici.domain.experiments.service.evidence import CLEAR, Evidence, gather, rung_of
from medici.domain.experiments.service.guarding import hindrance, verdicts_of
from medici.domain.experiments.service.looking import Look, Openings
from medici.domain.experiments.service.moving import censor, move, movement
from medici.domain.experiments.variables import experiment_policy

STANDING = {
    Blocked.EXPERIMENT_INACTIVE: "The experiment is not running.",
    Blocked.ALREADY_FULL_ROLLOUT: "Everybody gets the winner already.",
}
NOT_EVALUATED = "The experiment could not be evaluated."


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutEvaluation:
    """Where a ladder stood, where it went or would go, and why it did not."""

    experiment_id: str
    look: Look
    winner_variant_id: str | None
    recommendation_reason: str
    guardrails_clear: bool
    blocked_reason: str | None
    current_percent: int
    next_percent: int
    status: RolloutStatus
    applied: bool
    users: int
    minimum_sample_size: int
    alpha: float
    next_step_not_before: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRun:
    """One look at the ladders of running experiments."""

    look: Look
    results: Sequence[RolloutEvaluation]

    @property
    def applied(self) -> list[str]:
        return [each.experiment_id for each in self.results if each.applied]

    @property
    def blocked(self) -> list[str]:
        return [each.experiment_id for each in self.results if each.blocked_reason is not None]


async def evaluate(
    openings: Openings, experiment_id: str, look: Look, *, act: Act, verdict: Verdict | None = None
) -> RolloutEvaluation:
    """Move one experiment along the ladder, if its figures say so.

    ``verdict`` is what guardrails found in the same run; None has them looked at.

    Raises:
        ExperimentNotFound: there is none of that id.
        ExperimentMoved: it was changed meanwhile.
    """
    async with openings.reading() as session:
        evidence = await gather(session, experiment_id, look, verdict)
    if look.dry_run:
        return _told(evidence, evidence.found, look, movement(evidence, evidence.found, look))
    async with openings.transaction() as session:
        found = await reading.locked(session, experiment_id)
        return await _moved(session, found, evidence, look=look, act=act)


async def evaluate_all(
    openings: Openings,
    look: Look,
    *,
    limit: int,
    act: Act,
    verdicts: Mapping[str, Verdict] | None = None,
) -> RolloutRun:
    """Do the same with running experiments, first those that waited longest for it.

    One that fails is told as blocked, and the others go on.
    """
    async with openings.reading() as session:
        waiting = await _waiting(session, look, limit)
        policy = await experiment_policy(session)
        if verdicts is None:
            verdicts = await verdicts_of(session, [each for each, _ in waiting], policy, look)
    results = []
    for found in waiting:
        name = found[0].experiment_id
        try:
            verdict = verdicts.get(name, CLEAR)
            results.append(await evaluate(openings, name, look, act=act, verdict=verdict))
        except Exception as error:
            reason = failing.told(name, error)
            results.append(_told(Evidence(found=found, policy=policy), found, look, reason))
    return RolloutRun(look=look, results=results)


async def _waiting(session: AsyncSession, look: Look, limit: int) -> Sequence[Found]:
    """Return whose turn it is, without those who had theirs before the run was interrupted."""
    evaluated_at = ExperimentRuntime.rollout_evaluated_at
    running = (
        reading.BOTH.where(
            Experiment.status == ExperimentStatus.RUNNING,
            evaluated_at.is_(None) | (evaluated_at < look.begun_at) | (evaluated_at >= look.now),
        )
        .order_by(evaluated_at.asc().nulls_first(), Experiment.experiment_id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await session.execute(running)]


async def _moved(
    session: AsyncSession, found: Found, evidence: Evidence, *, look: Look, act: Act
) -> RolloutEvaluation:
    going = movement(evidence, found, look)
    told = _told(evidence, found, look, going)
    runtime = found[1]
    if isinstance(going, Move):
        await move(session, found, going, evidence, look=look, act=act)
    elif runtime.rollout_percent and runtime.rollout_changed_at is not None:
        # Somebody may have been enrolled at the very moment of the last step.
        await censor(session, found, at=runtime.rollout_changed_at)
    runtime.rollout_evaluated_at = look.now
    await session.flush()
    return told


def _told(evidence: Evidence, found: Found, look: Look, going: Move | str) -> RolloutEvaluation:
    """Tell where a ladder goes, as it stands before it does so."""
    experiment, runtime = found
    rung, policy = rung_of(runtime), evidence.policy
    taken = going if isinstance(going, Move) else None
    return RolloutEvaluation(
        experiment_id=experiment.experiment_id,
        look=look,
        winner_variant_id=evidence.recommended or rung.winner_variant_id,
        recommendation_reason=evidence.reason or _standing(going),
        guardrails_clear=hindrance(experiment, runtime, evidence.verdict) is None,
        blocked_reason=None if taken else str(going),
        current_percent=rung.percent,
        next_percent=taken.to_percent if taken else rung.percent,
        status=taken.status if taken else rung.status,
        applied=taken is not None and not look.dry_run,
        users=evidence.users,
        minimum_sample_size=policy.minimum_sample_size,
        alpha=policy.alpha,
        next_step_not_before=rung.held_until(policy.step_at_least, now=look.now),
    )


def _standing(going: Move | str) -> str:
    return STANDING.get(going, NOT_EVALUATED) if isinstance(going, Blocked) else NOT_EVALUATED
