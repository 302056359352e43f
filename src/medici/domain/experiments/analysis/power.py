"""How many users it takes to find an effect, for each way of deciding. Pure.

A fixed analysis looks once and needs the fewest. To look again and again costs users: a group
sequential one reaches its end a little later. An always-valid one has no end, and is reckoned such
that one look at that size finds the effect as often as was asked. Both usually stop much earlier
where the effect is larger.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, exp, sqrt

from scipy.special import ndtr, ndtri

from medici.domain.assignments.models import AnalysisMode
from medici.domain.experiments.analysis.errors import Unfit, UnfitSize
from medici.domain.experiments.metrics.keys import Unit
from medici.domain.experiments.stats.group_sequential import boundary
from medici.domain.experiments.stats.roots import rising_root
from medici.domain.experiments.stats.sequential import sequential
from medici.domain.experiments.stats.sizing import required_sample, required_sample_mean

MOST_USERS = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a metric comes to in control. A proportion of users needs no ``deviation`` of theirs."""

    value: float
    deviation: float | None = None
    unit: Unit = Unit.SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to be found: a relative effect ``mde``, found in ``power`` of all experiments.

    With several challengers each has to pass the strictest of Holm's levels.
    """

    mde: float
    power: float
    alpha: float
    variants: int
    tuning_n: int

    @property
    def level(self) -> float:
        return self.alpha / (self.variants - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """Users that a mode needs. ``inflation`` is how many times those of a fixed analysis."""

    analysis_mode: AnalysisMode
    users_per_variant: int
    users: int
    inflation: float
    days: int | None


def sizings(baseline: Baseline, aim: Aim, *, users_per_day: float | None) -> list[Sizing]:
    """Return what each mode needs, the thriftiest first.

    Raises:
        UnfitSize: the effect is none, or would lead beyond 100 %.
    """
    fixed = _fixed(baseline, aim)
    if fixed is None:
        raise UnfitSize(Unfit.OUT_OF_REACH, "there can be no such effect on this baseline")
    needed = {
        AnalysisMode.FIXED: fixed,
        AnalysisMode.GROUP_SEQUENTIAL: ceil(fixed * _group_inflation(aim)),
        AnalysisMode.SEQUENTIAL: _always_valid(fixed, aim),
    }
    return [
        Sizing(
            analysis_mode=mode,
            users_per_variant=users,
            users=users * aim.variants,
            inflation=round(users / fixed, 4),
            days=ceil(users * aim.variants / users_per_day) if users_per_day else None,
        )
        for mode, users in needed.items()
    ]


def _fixed(baseline: Baseline, aim: Aim) -> int | None:
    if baseline.deviation is None:
        return required_sample(baseline.value, aim.mde, aim.power, aim.level)
    return required_sample_mean(baseline.value, baseline.deviation, aim.mde, aim.power, aim.level)


def _drift(aim: Aim) -> float:
    """Return the z that a true effect must lead to on average, at one look."""
    return float(ndtri(1 - aim.level / 2) + ndtri(aim.power))


def _group_inflation(aim: Aim) -> float:
    """Return how much further Brownian motion has to drift to leave the boundary as often."""
    limit = boundary(aim.level)

    def found(drift: float) -> float:
        """Return how often it gets to the limit before time 1."""
        again = exp(2 * drift * limit) * float(ndtr(-limit - drift))
        return float(ndtr(drift - limit)) + again

    needed = rising_root(lambda drift: found(drift) - aim.power, 0.0, 3 * _drift(aim) + limit)
    return max(1.0, (needed / _drift(aim)) ** 2)


def _always_valid(fixed: int, aim: Aim) -> int:
    """Return the users at which even a result that is unlucky by the power asked for is enough."""

    def is_enough(users: int) -> bool:
        z = _drift(aim) * sqrt(users / fixed) - float(ndtri(aim.power))
        told = sequential(max(z, 0.0), 1.0, 2 * users, aim.alpha, aim.tuning_n)
        return told.p_value is not None and told.p_value <= aim.level

    return _first(is_enough, fixed)


def _first(holds: Callable[[int], bool], low: int) -> int:
    """Return the first number from ``low`` on for which something holds that goes on to hold."""
    high = low
    while not holds(high) and high < MOST_USERS:
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return high
