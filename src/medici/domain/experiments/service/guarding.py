"""Judging experiments by their guardrails, and pausing what harms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.changes import changed
from medici.domain.assignments.models import (
    Experiment,
    ExperimentRuntime,
    ExperimentStatus,
    RolloutStatus,
)
from medici.domain.experiments import audit, telling
from medici.domain.experiments.audit import Act, Action
from medici.domain.experiments.guardrails.errors import UnknownGuardrail
from medici.domain.experiments.guardrails.judging import Strictness, Verdict, judge
from medici.domain.experiments.guardrails.keys import Guardrails, parse_guardrails
from medici.domain.experiments.guardrails.measuring import Asked, measure
from medici.domain.experiments.reading import BOTH, Found, locked
from medici.domain.experiments.service import failing
from medici.domain.experiments.service.looking import ExperimentMoved, Look, Openings
from medici.domain.experiments.variables import ExperimentPolicy, experiment_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a look came to for one experiment, and what was done about it.

    ``violation_streak`` is the one after this look, or what it would be after a dry one.
    """

    experiment_id: str
    name: str
    is_active: bool
    guardrails: Mapping[str, object]
    verdict: Verdict
    violation_streak: int
    required_streak: int
    paused: bool

    @property
    def would_pause(self) -> bool:
        return self.verdict.breached and self.violation_streak >= self.required_streak


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailRun:
    """One look at all running experiments that have guardrails."""

    look: Look
    required_streak: int
    evaluations: Sequence[Evaluation]

    @property
    def breached_count(self) -> int:
        return sum(each.verdict.breached for each in self.evaluations)

    @property
    def paused_count(self) -> int:
        return sum(each.paused for each in self.evaluations)

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        return {each.experiment_id: each.verdict for each in self.evaluations}


async def guard_all(openings: Openings, look: Look, *, act: Act) -> GuardrailRun:
    """Judge every running experiment that has guardrails, and pause those that are due.

    Each is settled in a transaction of its own; one that fails is told as skipped.
    """
    async with openings.reading() as session:
        policy = await experiment_policy(session)
        found = await _guarded(session)
        verdicts = await verdicts_of(session, [each for each, _ in found], policy, look)
    return GuardrailRun(
        look=look,
        required_streak=policy.required_streak,
        evaluations=[
            await _evaluated(
                openings, each, verdicts[each[0].experiment_id], policy=policy, look=look, act=act
            )
            for each in found
        ],
    )


async def verdicts_of(
    session: AsyncSession, experiments: Sequence[Experiment], policy: ExperimentPolicy, look: Look
) -> dict[str, Verdict]:
    """Judge experiments as they stand; one without guardrails is clear."""
    strictness = Strictness(mode=policy.guardrail_mode, ignore_global=policy.ignore_global_breach)
    wanted = {each.experiment_id: _read(each) for each in experiments}
    asked = [
        Asked(experiment=each, metrics=frozenset(guardrails.metrics))
        for each in experiments
        if isinstance(guardrails := wanted[each.experiment_id], Guardrails)
    ]
    measured = await measure(session, asked, look.window)
    return {
        name: each if isinstance(each, Verdict) else judge(each, measured[name], strictness)
        for name, each in wanted.items()
    }


def next_streak(streak: int, verdict: Verdict) -> int:
    """Return how many looks in a row found a breach; a look that was skipped is none."""
    if verdict.skipped_reason is not None:
        return streak
    return streak + 1 if verdict.breached else 0


def _read(experiment: Experiment) -> Guardrails | Verdict:
    if not experiment.guardrails:
        return Verdict()
    try:
        return parse_guardrails(experiment.guardrails)
    except UnknownGuardrail as error:
        return Verdict(skipped_reason=failing.told(experiment.experiment_id, error))


async def _guarded(session: AsyncSession) -> Sequence[Found]:
    running = BOTH.where(Experiment.status == ExperimentStatus.RUNNING)
    rows = await session.execute(running.order_by(Experiment.experiment_id))
    return [(row[0], row[1]) for row in rows if row[0].guardrails]


async def _evaluated(
    openings: Openings,
    found: Found,
    verdict: Verdict,
    *,
    policy: ExperimentPolicy,
    look: Look,
    act: Act,
) -> Evaluation:
    experiment, runtime = found
    if look.dry_run:
        streak = next_streak(runtime.violation_streak, verdict)
        return _evaluation(experiment, verdict, streak, policy)
    try:
        async with openings.transaction() as session:
            return await _settled(session, experiment, verdict, policy=policy, look=look, act=act)
    except Exception as error:
        reason = failing.told(experiment.experiment_id, error)
        skipped = Verdict(skipped_reason=reason)
        return _evaluation(experiment, skipped, runtime.violation_streak, policy)


async def _settled(
    session: AsyncSession,
    seen: Experiment,
    verdict: Verdict,
    *,
    policy: ExperimentPolicy,
    look: Look,
    act: Act,
) -> Evaluation:
    """Count a look, and pause the experiment if that is one too many."""
    experiment, runtime = await locked(session, seen.experiment_id)
    if experiment.revision != seen.revision:
        raise ExperimentMoved(seen.experiment_id)
    if look.has_done(runtime.guardrails_checked_at):
        return _evaluation(experiment, verdict, runtime.violation_streak, policy)
    runtime.violation_streak = next_streak(runtime.violation_streak, verdict)
    runtime.guardrails_checked_at = look.now
    runtime.guardrails_breached = None if verdict.skipped_reason else verdict.breached
    evaluation = _evaluation(experiment, verdict, runtime.violation_streak, policy)
    if not evaluation.would_pause:
        return evaluation
    await _pause(session, (experiment, runtime), evaluation, look, act)
    return _evaluation(experiment, verdict, runtime.violation_streak, policy, paused=True)


async def _pause(
    session: AsyncSession, found: Found, evaluation: Evaluation, look: Look, act: Act
) -> None:
    experiment, runtime = found
    experiment.status = ExperimentStatus.PAUSED
    experiment.revision += 1
    experiment.updated_at = look.now
    runtime.guardrail_pause = telling.pause(evaluation.verdict, runtime, look.hours, act)
    if runtime.rollout_status is not RolloutStatus.COMPLETED:
        runtime.rollout_status = RolloutStatus.PAUSED
    await audit.record(
        session,
        Action.PAUSED_GUARDRAIL,
        experiment.experiment_id,
        act=act,
        metadata=runtime.guardrail_pause,
    )
    await telling.announce_pause(session, experiment, runtime, now=look.now)
    changed(session)


def _evaluation(
    experiment: Experiment,
    verdict: Verdict,
    streak: int,
    policy: ExperimentPolicy,
    *,
    paused: bool = False,
) -> Evaluation:
    return Evaluation(
        experiment_id=experiment.experiment_id,
        name=experiment.name,
        is_active=experiment.is_active,
        guardrails=experiment.guardrails,
        verdict=verdict,
        violation_streak=streak,
        required_streak=policy.required_streak,
        paused=paused,
    )


def hindrance(experiment: Experiment, runtime: ExperimentRuntime, verdict: Verdict) -> str | None:
    """Return what guardrails have against a step of the ladder: now, or when last acted upon."""
    if not experiment.guardrails:
        return None
    if verdict.skipped_reason is not None:
        return f"guardrail_skipped:{verdict.skipped_reason}"
    return "guardrail_breached" if verdict.breached or runtime.guardrails_breached else None
