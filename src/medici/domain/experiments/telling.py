"""What is written down, and told to other systems, about an experiment that was paused."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Experiment, ExperimentRuntime
from medici.domain.experiments.audit import Act
from medici.domain.experiments.guardrails.judging import Breach, Verdict
from medici.domain.notices.notice import Notice, NoticeType
from medici.domain.notices.service.announce import announce


def breach(found: Breach) -> dict[str, object]:
    """Return a breach as JSON has it."""
    return {
        **asdict(found),
        "operator": found.operator.value,
        "scope": found.scope.value,
        "message": found.message,
    }


def pause(verdict: Verdict, runtime: ExperimentRuntime, hours: int, act: Act) -> dict[str, object]:
    """Return why and when an experiment was paused."""
    return {
        "paused_at": act.now.isoformat().replace("+00:00", "Z"),
        "violation_streak": runtime.violation_streak,
        "window_hours": hours,
        "breaches": [breach(each) for each in verdict.breaches],
        "actor": act.actor,
        "reason": act.reason or None,
    }


async def announce_pause(
    session: AsyncSession, experiment: Experiment, runtime: ExperimentRuntime, *, now: datetime
) -> None:
    """Have whoever listens told that guardrails have paused an experiment."""
    notice = Notice(
        type=NoticeType.EXPERIMENT_PAUSED,
        subject=f"experiment:{experiment.experiment_id}",
        data={
            "experiment_id": experiment.experiment_id,
            "name": experiment.name,
            "rollout_percent": runtime.rollout_percent,
            "winner_variant_id": runtime.winner_variant_id,
            **(runtime.guardrail_pause or {}),
        },
        key=f"experiment.paused:{experiment.experiment_id}:{experiment.revision}",
    )
    await announce(session, notice, now=now)
