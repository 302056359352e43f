"""Writing a set-up into its rows, and what follows from it into the audit."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Experiment, ExperimentRuntime, RolloutStatus
from medici.domain.experiments import audit
from medici.domain.experiments.audit import Act, Action
from medici.domain.experiments.form import SetUp, set_up_of
from medici.domain.experiments.ladder import Move, remembered
from medici.domain.experiments.phases import Course, seed
from medici.domain.experiments.reading import Found
from medici.domain.experiments.variables import ExperimentPolicy

REDRAWN = "Everybody is drawn anew."


def made(experiment_id: str, *, act: Act) -> Found:
    """Return the rows of an experiment of which nothing is known yet but its id."""
    experiment = Experiment(
        experiment_id=experiment_id,
        revision=0,
        sequential_tuning_n=None,
        phase_started_at=None,
        created_at=act.now,
    )
    return experiment, ExperimentRuntime(
        experiment_id=experiment_id,
        violation_streak=0,
        rollout_status=RolloutStatus.HOLDING,
        rollout_percent=0,
        rollout_history=[],
    )


def apply(
    found: Found, wanted: SetUp, follows: Course, *, policy: ExperimentPolicy, act: Act
) -> None:
    """Set the rows of an experiment to what is wanted and what follows from it."""
    experiment, runtime = found
    for column, value in wanted.stored().items():
        setattr(experiment, column, value)
    experiment.status = follows.status
    experiment.phase = follows.phase
    experiment.bucket_version = follows.bucket_version
    experiment.seed = seed(experiment.experiment_id, follows.bucket_version)
    if follows.begins or follows.renewed:
        experiment.phase_started_at = act.now if follows.begins else None
        experiment.sequential_tuning_n = policy.tuning_n if follows.begins else None
    experiment.archived_at = None
    experiment.revision += 1
    experiment.updated_at = act.now
    if follows.resumed:
        _resume(runtime)
    if follows.redrawn:
        _start_over(runtime, act)


def shown(experiment: Experiment) -> dict[str, object]:
    """Return a set-up as the audit compares it."""
    return {**set_up_of(experiment).stored(), "is_active": experiment.is_active}


async def write_down(
    session: AsyncSession,
    experiment: Experiment,
    follows: Course,
    *,
    before: Mapping[str, object],
    act: Act,
) -> None:
    """Tell the audit what was changed, from what into what, and what came of it."""
    was, became = audit.changed(before, shown(experiment))
    common: dict[str, object] = {
        "revision": experiment.revision,
        "phase": experiment.phase,
        "bucket_version": experiment.bucket_version,
    }
    name = experiment.experiment_id
    metadata = {**common, "before": was if before else None, "after": became}
    await audit.record(session, Action.UPSERTED, name, act=act, metadata=metadata)
    if follows.resumed:
        await audit.record(session, Action.RESUMED, name, act=act, metadata=common)
    if follows.begins:
        started: dict[str, object] = {
            **common,
            "because": list(follows.because),
            "analysis_mode": experiment.analysis_mode,
            "sequential_tuning_n": experiment.sequential_tuning_n,
        }
        await audit.record(session, Action.PHASE_STARTED, name, act=act, metadata=started)


def _resume(runtime: ExperimentRuntime) -> None:
    """Forget the breaches that led to a pause; a ladder that was paused goes on where it stood."""
    runtime.violation_streak = 0
    if runtime.rollout_status is not RolloutStatus.PAUSED:
        return
    if runtime.rollout_percent:
        runtime.rollout_status = RolloutStatus.ROLLING_OUT
    elif runtime.winner_variant_id is not None:
        runtime.rollout_status = RolloutStatus.ROLLED_BACK
    else:
        runtime.rollout_status = RolloutStatus.HOLDING


def _start_over(runtime: ExperimentRuntime, act: Act) -> None:
    """Take the ladder down: whoever stood on it is drawn anew like everybody."""
    winner, percent = runtime.winner_variant_id, runtime.rollout_percent
    if winner is not None and percent:
        down = Move(winner_variant_id=winner, from_percent=percent, to_percent=0)
        step = down.told(actor=act.actor, reason=act.reason or REDRAWN, now=act.now)
        runtime.rollout_history = remembered(runtime.rollout_history, step)
        runtime.rollout_changed_at = act.now
        runtime.rollout_reason = REDRAWN
    runtime.violation_streak = 0
    runtime.rollout_status = RolloutStatus.HOLDING
    runtime.rollout_percent = 0
    runtime.winner_variant_id = None
    runtime.final_result = None
