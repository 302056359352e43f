"""Experiments that somebody looks at every hour of a week.

``python -m tests.sim.peeking 1000`` runs each week so many times, and prints how often each rule
declares a difference where there is none and where there is one.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from medici.domain.experiments.stats.group_sequential import boundary, group_sequential
from medici.domain.experiments.stats.holm import holm
from medici.domain.experiments.stats.proportions import two_proportion
from medici.domain.experiments.stats.sequential import sequential
from medici.domain.experiments.stats.values import Comparison

ALPHA = 0.05
TUNING_N = 2000
MINIMUM = 100  # users per arm before anything is declared
HOURS = 168

Paths = NDArray[np.float64]


class Rule(StrEnum):
    """When a difference is declared."""

    ONCE = "fixed-horizon p, one look at the end"
    HOURLY = "fixed-horizon p, every hour"
    ALWAYS_VALID = "always-valid p, every hour"
    GROUP_SEQUENTIAL = "group-sequential p, every hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One experiment, run many times. ``rates`` are those of the arms, control first."""

    rates: Sequence[float]
    users: int = 60  # of each arm in an hour
    runs: int = 500
    delay: float = 0.0  # hours from the first exposure to the success, on average
    adjusted: bool = True  # by Holm, over the challengers
    seed: int = 1

    def counts(self) -> NDArray[np.int64]:
        """Return the successes so far, by run, arm and hour."""
        dice = np.random.default_rng(self.seed)
        rates = np.array(self.rates)[None, :, None]
        drawn = dice.binomial(self.users, rates, size=(self.runs, len(self.rates), HOURS))
        return self._later(drawn, dice).cumsum(axis=2)

    def _later(self, drawn: NDArray[np.int64], dice: np.random.Generator) -> NDArray[np.int64]:
        """Move each success on by its delay; what lies beyond the week is not seen."""
        place = np.repeat(np.arange(drawn.size), drawn.ravel())
        hour = place % HOURS
        moved = hour + dice.exponential(self.delay, size=len(place)).astype(int)
        seen = moved < HOURS
        places = (place - hour + moved)[seen]
        return np.bincount(places, minlength=drawn.size).reshape(drawn.shape)


def declared(week: Week) -> Mapping[Rule, float]:
    """Return the part of all runs in which each rule declares a difference at some look."""
    found = [found_in(run, week) for run in week.counts().tolist()]
    return {rule: sum(rule in rules for rules in found) / week.runs for rule in Rule}


def found_in(run: Sequence[Sequence[int]], week: Week) -> set[Rule]:
    rules: set[Rule] = set()
    for hour in range(-(-MINIMUM // week.users), HOURS + 1):
        users = hour * week.users
        control, *challengers = (arm[hour - 1] for arm in run)
        compared = [two_proportion(control, users, x, users, ALPHA) for x in challengers]
        for rule in Rule:
            if rule not in rules and (rule is not Rule.ONCE or hour == HOURS):
                told = [judged(rule, each, 2 * users, week) for each in compared]
                if any(
                    p is not None and p < ALPHA for p in (holm(told) if week.adjusted else told)
                ):
                    rules.add(rule)
    return rules


def judged(rule: Rule, compared: Comparison, users: int, week: Week) -> float | None:
    """Return the product's p-value by a rule; ``users`` are those of both arms."""
    if rule is Rule.ALWAYS_VALID:
        return sequential(compared.diff, compared.se, users, ALPHA, TUNING_N).p_value
    if rule is Rule.GROUP_SEQUENTIAL:
        planned = 2 * HOURS * week.users
        return group_sequential(compared.diff, compared.se, users, planned, ALPHA).p_value
    return compared.p_value


def paths(runs: int, effect: float = 0.0, end: float = 1.0, seed: int = 1) -> Paths:
    """Return Brownian motion by the hour up to time ``end``; at time 1 its mean is ``effect``."""
    dice = np.random.default_rng(seed)
    steps = round(HOURS * end)
    drawn = dice.normal(effect / HOURS, HOURS**-0.5, size=(runs, steps))
    return drawn.cumsum(axis=1)


def beyond(walks: Paths, level: float, looks: int = HOURS) -> float:
    """Return the part of all walks outside ±``level`` at one of evenly spaced looks until 1."""
    at = np.linspace(HOURS / looks, HOURS, looks).round().astype(int) - 1
    return float((abs(walks[:, at]) > level).any(axis=1).mean())


def late(end: float, *, once: bool, runs: int = 20_000) -> float:
    """Return how often nothing is declared as something when looks go on until ``end``.

    By group-sequential p, the boundary staying what it is at time 1. ``once``: there is one look
    after time 1, at the end; otherwise there is one every hour.
    """
    walks = paths(runs, end=end)
    time = np.arange(1, walks.shape[1] + 1) / HOURS
    levels = boundary(ALPHA) * np.sqrt(np.maximum(time, 1))
    outside = abs(walks) > levels
    looked = (time <= 1) | (np.arange(1, len(time) + 1) == len(time)) | (not once)
    return float(outside[:, looked].any(axis=1).mean())


def report(runs: int) -> Iterator[str]:
    """Give the lines of all tables."""
    weeks = {
        "no effect, 5 %": Week(rates=(0.05, 0.05), runs=runs),
        "no effect, 5 %, a day and a half later": Week(rates=(0.05, 0.05), delay=36, runs=runs),
        "no effect, three arms, not adjusted": Week(rates=(0.05,) * 3, runs=runs, adjusted=False),
        "no effect, three arms, Holm": Week(rates=(0.05,) * 3, runs=runs),
        "5 % and 5.5 %": Week(rates=(0.05, 0.055), runs=runs),
        "5 % and 6 %": Week(rates=(0.05, 0.06), runs=runs),
        "5 % and 7.5 %": Week(rates=(0.05, 0.075), runs=runs),
    }
    for name, week in weeks.items():
        yield name
        yield from (f"  {share:6.1%}  {rule}" for rule, share in declared(week).items())
    yield "looks beyond the plan, no effect: the last one at, one late look, every hour"
    for end in (1.0, 1.05, 1.1, 1.25, 1.5, 2.0):
        yield f"  {end:4.2f}  {late(end, once=True):6.1%}  {late(end, once=False):6.1%}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in report(int(sys.argv[1])))
