"""How a winner is handed to everybody: one step at a time, and back as soon as it does harm. Pure.

A percentage P means that everybody whose rollout bucket lies below P gets the winner, and is no
longer compared. Those left are still split by the weights, because that bucket has nothing to do
with the one that variants are drawn by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from medici.domain.assignments.models import RolloutStatus
from medici.domain.experiments.decisions import Decided, RecommendationCode

STEPS = (10, 50, 100)
EVERYBODY = STEPS[-1]
REMEMBERED = 20  # moves


class Blocked(StrEnum):
    """Why the ladder stays where it is. ``guardrail_skipped`` is told with its reason."""

    EXPERIMENT_INACTIVE = "experiment_inactive"
    ALREADY_FULL_ROLLOUT = "already_full_rollout"
    SRM_DETECTED = "srm_detected"
    NO_WINNER_RECOMMENDATION = "no_winner_recommendation"
    CONTROL_IS_WINNER = "control_is_winner"
    WINNER_CHANGED = "winner_changed"
    GUARDRAIL_SKIPPED = "guardrail_skipped"
    GUARDRAIL_BREACHED = "guardrail_breached"
    STEP_DWELL_NOT_ELAPSED = "step_dwell_not_elapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Where the ladder stands, and since when; ``changed_at`` is None before the first step."""

    status: RolloutStatus
    percent: int
    winner_variant_id: str | None
    changed_at: datetime | None

    @property
    def is_climbed(self) -> bool:
        """Tell whether some users, and not yet all, get the winner."""
        return 0 < self.percent < EVERYBODY

    @property
    def is_full(self) -> bool:
        return self.percent >= EVERYBODY

    def held_until(self, dwell: timedelta, *, now: datetime) -> datetime | None:
        """Return when the next step may be taken at the earliest; None is at once.

        The first step need not wait; one after a rollback does.
        """
        if self.changed_at is None or self.is_full or self.status is RolloutStatus.HOLDING:
            return None
        until = self.changed_at + dwell
        return until if until > now else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A step up, or all the way down."""

    winner_variant_id: str
    from_percent: int
    to_percent: int

    @property
    def is_rollback(self) -> bool:
        return self.to_percent < self.from_percent

    @property
    def status(self) -> RolloutStatus:
        if self.is_rollback:
            return RolloutStatus.ROLLED_BACK
        full = self.to_percent == EVERYBODY
        return RolloutStatus.COMPLETED if full else RolloutStatus.ROLLING_OUT

    def told(self, *, actor: str, reason: str, now: datetime) -> dict[str, object]:
        """Return the move as the ladder's history has it."""
        return {
            "at": now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "from_percent": self.from_percent,
            "to_percent": self.to_percent,
            "winner_variant_id": self.winner_variant_id,
            "actor": actor,
            "reason": reason,
        }


def standstill(rung: Rung, *, active: bool) -> Blocked | None:
    """Return why the ladder cannot move whatever the figures say."""
    if not active:
        return Blocked.EXPERIMENT_INACTIVE
    return Blocked.ALREADY_FULL_ROLLOUT if rung.is_full else None


def next_move(
    rung: Rung, decided: Decided, *, hindrance: str | None, dwell: timedelta, now: datetime
) -> Move | str:
    """Return where the ladder goes, or why it stays; the first reason that applies.

    ``hindrance`` is what guardrails have against a step. Nothing stands against going back.
    """
    leader, winner = rung.winner_variant_id, decided.recommendation.variant_id
    if rung.is_climbed and leader is not None and decided.is_worse(leader):
        return Move(winner_variant_id=leader, from_percent=rung.percent, to_percent=0)
    objection = _objection(rung, decided) or hindrance
    if objection is not None or winner is None:
        return objection or Blocked.NO_WINNER_RECOMMENDATION
    if rung.held_until(dwell, now=now) is not None:
        return Blocked.STEP_DWELL_NOT_ELAPSED
    step = next(step for step in STEPS if step > rung.percent)
    return Move(winner_variant_id=winner, from_percent=rung.percent, to_percent=step)


def _objection(rung: Rung, decided: Decided) -> Blocked | None:
    """Return why nobody may go up the ladder, or not who is to; nobody changes places on it."""
    recommended = decided.recommendation
    if decided.srm_detected or recommended.code is RecommendationCode.SRM_DETECTED:
        return Blocked.SRM_DETECTED
    if recommended.code is RecommendationCode.CONTROL_IS_WINNER:
        return Blocked.CONTROL_IS_WINNER
    if recommended.code is not RecommendationCode.WINNER:
        return Blocked.NO_WINNER_RECOMMENDATION
    if rung.is_climbed and recommended.variant_id != rung.winner_variant_id:
        return Blocked.WINNER_CHANGED
    return None


def remembered(
    history: Sequence[Mapping[str, Any]], entry: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the history with one more move, the oldest ones left out."""
    return [dict(each) for each in (*history, entry)][-REMEMBERED:]
