"""Ladders of experiments without any effect, looked at every hour for a week.

What is simulated: two variants with the same conversion of 5 %, 60 new users an hour in each, who
convert at once or never. Whoever the ladder serves is enrolled no more. Every hour the p-value that
decides is computed from the sums by the same functions as in production, and ``next_move`` says
where the ladder goes. Databases, guardrails and the split of users have no part in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import erfc, sqrt

import numpy
import pytest

from medici.domain.assignments.models import RolloutStatus
from medici.domain.experiments.decisions import (
    Decided,
    Recommendation,
    RecommendationCode,
    Standing,
)
from medici.domain.experiments.ladder import Move, Rung, next_move
from medici.domain.experiments.stats.sequential import sequential

RUNS, HOURS = 500, 168
SEED = 20_261_124
USERS_AN_HOUR, CONVERSION = 60, 0.05
ALPHA, TUNING_N, MINIMUM = 0.05, 2000, 100
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PValue = Callable[["Arms"], float | None]


@dataclass(slots=True)
class Arms:
    """Users of control and challenger, and how many of them converted."""

    users: list[int] = field(default_factory=lambda: [0, 0])
    converted: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def rates(self) -> tuple[float, float]:
        return self.converted[0] / self.users[0], self.converted[1] / self.users[1]

    @property
    def difference(self) -> float:
        return self.rates[1] - self.rates[0]


def always_valid(arms: Arms) -> float | None:
    """Return the p-value that may be looked at as often as one likes."""
    variances = (p * (1 - p) / n for p, n in zip(arms.rates, arms.users, strict=True))
    error = sqrt(sum(variances))
    told = sequential(arms.difference, error, sum(arms.users), ALPHA, TUNING_N)
    return told.p_value


def for_one_look(arms: Arms) -> float | None:
    """Return the p-value that everybody knows: pooled, two-sided."""
    pooled = sum(arms.converted) / sum(arms.users)
    error = sqrt(pooled * (1 - pooled) * sum(1 / n for n in arms.users))
    return erfc(abs(arms.difference) / error / sqrt(2)) if error else None


def decided(arms: Arms, p_value: PValue) -> Decided:
    """Decide as the analysis does for one challenger."""
    code, winner, standing = RecommendationCode.NO_SIGNIFICANT_DIFFERENCE, None, Standing.OPEN
    if min(arms.users) < MINIMUM:
        code = RecommendationCode.INSUFFICIENT_SAMPLE
    elif (p := p_value(arms)) is not None and p < ALPHA:
        better = arms.difference > 0
        standing = Standing.BETTER if better else Standing.WORSE
        code = RecommendationCode.WINNER if better else RecommendationCode.CONTROL_IS_WINNER
        winner = "b" if better else "control"
    return Decided(
        recommendation=Recommendation(code=code, variant_id=winner, reason=""),
        standings={"b": standing},
        users=sum(arms.users),
        srm_detected=False,
    )


def climbed(random: numpy.random.Generator, p_value: PValue, dwell: timedelta) -> list[int]:
    """Run an experiment for a week; return the percentages that its ladder went to."""
    arms, now, path = Arms(), BEGAN, [0]
    rung = Rung(status=RolloutStatus.HOLDING, percent=0, winner_variant_id=None, changed_at=None)
    for _ in range(HOURS):
        now += HOUR
        coming = random.binomial(USERS_AN_HOUR, 1 - rung.percent / 100, size=2)
        for place, users in enumerate(coming):
            arms.users[place] += int(users)
            arms.converted[place] += int(random.binomial(users, CONVERSION))
        move = next_move(rung, decided(arms, p_value), hindrance=None, dwell=dwell, now=now)
        if isinstance(move, Move):
            path.append(move.to_percent)
            rung = Rung(
                status=move.status,
                percent=move.to_percent,
                winner_variant_id=move.winner_variant_id,
                changed_at=now,
            )
        if rung.is_full:
            break
    return path


def shares(p_value: PValue, dwell: timedelta) -> tuple[float, float]:
    """Return which share of ladders was begun, and which came to everybody."""
    paths = [climbed(numpy.random.default_rng([SEED, run]), p_value, dwell) for run in range(RUNS)]
    begun = sum(len(path) > 1 for path in paths)
    full = sum(path[-1] == 100 for path in paths)
    return begun / RUNS, full / RUNS


class TestLadderWithoutAnyEffect:
    def test_hardly_ever_comes_to_everybody(self) -> None:
        begun, full = shares(always_valid, DAY)

        assert begun <= 0.03
        assert full <= 0.005

    @pytest.mark.parametrize("dwell", [timedelta(), DAY])
    def test_would_often_by_the_p_value_for_one_look(self, dwell: timedelta) -> None:
        begun, full = shares(for_one_look, dwell)

        assert begun >= 0.1
        assert full >= 0.03
