"""Where the ladder goes, and why it stays."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from medici.domain.assignments.models import RolloutStatus
from medici.domain.experiments import ladder
from medici.domain.experiments.decisions import (
    Decided,
    Recommendation,
    RecommendationCode,
    Standing,
)
from medici.domain.experiments.ladder import Blocked, Move, Rung, next_move, remembered
from tests.domain.experiments.stage import NOW

DAY = timedelta(days=1)


def rung(percent: int = 0, changed_at: datetime | None = None, **more: Any) -> Rung:
    statuses = {0: RolloutStatus.HOLDING, 100: RolloutStatus.COMPLETED}
    return Rung(
        status=more.pop("status", statuses.get(percent, RolloutStatus.ROLLING_OUT)),
        percent=percent,
        winner_variant_id=more.pop("winner", "b" if percent else None),
        changed_at=changed_at or (NOW - 2 * DAY if percent else None),
    )


def decided(
    code: RecommendationCode = RecommendationCode.WINNER,
    variant_id: str | None = "b",
    *,
    srm: bool = False,
    **standings: Standing,
) -> Decided:
    return Decided(
        recommendation=Recommendation(code=code, variant_id=variant_id, reason="so it is"),
        standings=standings or {"b": Standing.BETTER},
        users=240,
        srm_detected=srm,
    )


UNDECIDED = decided(RecommendationCode.NO_SIGNIFICANT_DIFFERENCE, None, b=Standing.OPEN)


def moved(
    at: Rung, told: Decided | None = None, *, hindrance: str | None = None, dwell: timedelta = DAY
) -> Move | str:
    return next_move(at, told or decided(), hindrance=hindrance, dwell=dwell, now=NOW)


class TestNextMove:
    @pytest.mark.parametrize(("percent", "following"), [(0, 10), (10, 50), (50, 100)])
    def test_goes_up_step_by_step(self, percent: int, following: int) -> None:
        move = moved(rung(percent))

        assert move == Move(winner_variant_id="b", from_percent=percent, to_percent=following)

    def test_takes_the_first_step_at_once_and_waits_before_the_others(self) -> None:
        assert isinstance(moved(rung(0)), Move)
        assert moved(rung(10, NOW - DAY + timedelta(seconds=1))) == "step_dwell_not_elapsed"
        assert isinstance(moved(rung(10, NOW - DAY)), Move)

    def test_may_take_a_step_with_each_call(self) -> None:
        assert isinstance(moved(rung(10, NOW), dwell=timedelta()), Move)

    def test_waits_after_a_rollback_as_well(self) -> None:
        back = rung(0, NOW, status=RolloutStatus.ROLLED_BACK, winner="b")

        assert moved(back) == "step_dwell_not_elapsed"
        later = rung(0, NOW - DAY, status=RolloutStatus.ROLLED_BACK, winner="b")
        assert isinstance(moved(later, decided(variant_id="c")), Move)

    def test_goes_on_where_a_pause_left_it(self) -> None:
        move = moved(rung(10, status=RolloutStatus.PAUSED))

        assert move == Move(winner_variant_id="b", from_percent=10, to_percent=50)

    @pytest.mark.parametrize(
        ("told", "reason"),
        [
            (UNDECIDED, Blocked.NO_WINNER_RECOMMENDATION),
            (
                decided(RecommendationCode.INSUFFICIENT_SAMPLE, None),
                Blocked.NO_WINNER_RECOMMENDATION,
            ),
            (
                decided(RecommendationCode.MIN_RUNTIME_NOT_REACHED, None),
                Blocked.NO_WINNER_RECOMMENDATION,
            ),
            (decided(RecommendationCode.SRM_DETECTED, None), Blocked.SRM_DETECTED),
            (decided(srm=True), Blocked.SRM_DETECTED),
            (
                decided(RecommendationCode.CONTROL_IS_WINNER, "control", b=Standing.WORSE),
                Blocked.CONTROL_IS_WINNER,
            ),
        ],
    )
    def test_tells_the_first_reason_that_applies(self, told: Decided, reason: Blocked) -> None:
        assert moved(rung(0), told, hindrance="guardrail_breached") == reason

    def test_lets_nobody_change_places(self) -> None:
        other = decided(variant_id="c", c=Standing.BETTER, b=Standing.BETTER)

        assert moved(rung(10), other, hindrance="guardrail_breached") == "winner_changed"

    def test_heeds_guardrails_before_it_counts_hours(self) -> None:
        reason = "guardrail_skipped:render_events_below_min(1 < 2)"

        assert moved(rung(10, NOW), hindrance=reason) == reason

    @pytest.mark.parametrize("percent", [10, 50])
    def test_goes_all_the_way_back_from_a_winner_that_is_worse(self, percent: int) -> None:
        worse = decided(RecommendationCode.CONTROL_IS_WINNER, "control", b=Standing.WORSE)

        move = moved(rung(percent, NOW), worse, hindrance="guardrail_breached")

        assert move == Move(winner_variant_id="b", from_percent=percent, to_percent=0)
        assert isinstance(move, Move)
        assert (move.is_rollback, move.status) == (True, RolloutStatus.ROLLED_BACK)

    def test_does_not_go_back_for_another_variant(self) -> None:
        told = decided(b=Standing.BETTER, c=Standing.WORSE)

        assert moved(rung(10), told) == Move(winner_variant_id="b", from_percent=10, to_percent=50)


class TestMove:
    @pytest.mark.parametrize(
        ("to_percent", "status"),
        [
            (10, RolloutStatus.ROLLING_OUT),
            (50, RolloutStatus.ROLLING_OUT),
            (100, RolloutStatus.COMPLETED),
        ],
    )
    def test_leads_to_a_status(self, to_percent: int, status: RolloutStatus) -> None:
        move = Move(winner_variant_id="b", from_percent=0, to_percent=to_percent)

        assert (move.status, move.is_rollback) == (status, False)


class TestStandstill:
    def test_looks_at_nothing_else(self) -> None:
        assert ladder.standstill(rung(100), active=False) is Blocked.EXPERIMENT_INACTIVE
        assert ladder.standstill(rung(100), active=True) is Blocked.ALREADY_FULL_ROLLOUT
        assert ladder.standstill(rung(50), active=True) is None


class TestHeldUntil:
    def test_is_when_the_next_step_may_be_taken(self) -> None:
        assert rung(10, NOW).held_until(DAY, now=NOW) == NOW + DAY
        assert rung(10, NOW - DAY).held_until(DAY, now=NOW) is None
        assert rung(0).held_until(DAY, now=NOW) is None
        assert rung(100, NOW).held_until(DAY, now=NOW) is None

    def test_forgets_a_ladder_that_was_taken_down(self) -> None:
        assert rung(0, NOW).held_until(DAY, now=NOW) is None


class TestRemembered:
    def test_keeps_the_last_twenty_moves(self) -> None:
        move = Move(winner_variant_id="b", from_percent=0, to_percent=10)
        entry = move.told(actor="eve", reason="so it is", now=NOW)

        history = remembered([{"number": number} for number in range(20)], entry)

        assert len(history) == 20
        assert history[0] == {"number": 1}
        assert history[-1] == {
            "at": "2026-11-24T12:00:00Z",
            "from_percent": 0,
            "to_percent": 10,
            "winner_variant_id": "b",
            "actor": "eve",
            "reason": "so it is",
        }
