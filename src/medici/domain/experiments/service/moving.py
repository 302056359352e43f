"""Moving an experiment along the ladder, its rows locked: what the figures say of it as it is."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.changes import changed
from medici.domain.assignments.models import Assignment
from medici.domain.experiments import audit, ladder
from medici.domain.experiments.audit import Act, Action
from medici.domain.experiments.ladder import EVERYBODY, Move
from medici.domain.experiments.reading import Found
from medici.domain.experiments.service.evidence import Evidence, rung_of
from medici.domain.experiments.service.guarding import hindrance
from medici.domain.experiments.service.looking import ExperimentMoved, Look


def movement(evidence: Evidence, found: Found, look: Look) -> Move | str:
    """Return where the ladder goes from where it stands by now, or why it does not.

    Raises:
        ExperimentMoved: the evidence is about another state of the experiment.
    """
    experiment, runtime = found
    rung = rung_of(runtime)
    if experiment.revision != evidence.experiment.revision:
        raise ExperimentMoved(experiment.experiment_id)
    reason = ladder.standstill(rung, active=experiment.is_active)
    if reason is not None:
        return reason
    if evidence.decided is None:
        raise ExperimentMoved(experiment.experiment_id)
    return ladder.next_move(
        rung,
        evidence.decided,
        hindrance=hindrance(experiment, runtime, evidence.verdict),
        dwell=evidence.policy.step_at_least,
        now=look.now,
    )


async def move(
    session: AsyncSession, found: Found, going: Move, evidence: Evidence, *, look: Look, act: Act
) -> None:
    """Take a step, or go all the way back.

    Raises:
        ExperimentMoved: the last step, of which nobody knew when the evidence was gathered.
    """
    experiment, runtime = found
    if going.to_percent == EVERYBODY:
        if evidence.final is None:
            raise ExperimentMoved(experiment.experiment_id)
        runtime.final_result = dict(evidence.final)
    entry = going.told(actor=act.actor, reason=act.reason or evidence.reason, now=look.now)
    runtime.rollout_status = going.status
    runtime.rollout_percent = going.to_percent
    runtime.winner_variant_id = going.winner_variant_id
    runtime.rollout_changed_at = look.now
    runtime.rollout_reason = evidence.reason
    runtime.rollout_history = ladder.remembered(runtime.rollout_history, entry)
    await censor(session, found, at=look.now)
    await _write_down(session, found, going, evidence, entry, act=act)
    changed(session)


async def censor(session: AsyncSession, found: Found, *, at: datetime) -> None:
    """End the comparison for everybody, of whatever variant, whom the ladder serves by now."""
    experiment, runtime = found
    await session.execute(
        update(Assignment)
        .where(
            Assignment.experiment_id == experiment.experiment_id,
            Assignment.rollout_bucket < runtime.rollout_percent / EVERYBODY,
            Assignment.censored_at.is_(None),
        )
        .values(censored_at=at)
        .execution_options(synchronize_session=False)
    )


async def _write_down(
    session: AsyncSession,
    found: Found,
    going: Move,
    evidence: Evidence,
    entry: dict[str, object],
    *,
    act: Act,
) -> None:
    action = Action.ROLLOUT_ROLLED_BACK if going.is_rollback else Action.ROLLOUT_APPLIED
    metadata = {
        **entry,
        "status": going.status.value,
        "recommendation_reason": evidence.reason,
        "compared_users": evidence.users,
    }
    await audit.record(session, action, found[0].experiment_id, act=act, metadata=metadata)
