"""How far actors come along the steps of a funnel, decided actor by actor."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import groupby, pairwise
from operator import attrgetter
from statistics import median
from typing import NamedTuple, TypeAlias

from medici.domain.analytics.rates import Rate


class Mode(StrEnum):
    """Which sequences count."""

    ORDERED = "ordered"  # in this order, whatever lies between
    STRICT = "strict"  # in this order, and nothing between
    ANY = "any"  # in any order


class Act(NamedTuple):
    """Something an actor did; a name that is no step matters only in strict mode."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Names of steps, each of which may come again. All of them must be reached in ``within``,
    counted from the first; where the first was taken before ``until``.
    """

    steps: Sequence[str]
    within: timedelta
    until: datetime
    mode: Mode = Mode.ORDERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How many actors reached a step."""

    name: str
    actors: int
    overall: Rate  # of those who took the first step
    step: Rate  # of those who reached the step before
    median_seconds: float | None  # from the step before

    @property
    def dropped(self) -> int:
        """Return how many came no further than the step before."""
        return self.step.denominator - self.step.numerator


Times: TypeAlias = tuple[datetime, ...]


def follow(actors: Iterable[Sequence[Act]], funnel: Funnel) -> list[Step]:
    """Follow each actor's acts, in order of time, and count how many reached each step."""
    reached = [0] * len(funnel.steps)
    seconds: list[list[float]] = [[] for _ in funnel.steps]
    for acts in actors:
        times = furthest(acts, funnel)
        for place in range(len(times)):
            reached[place] += 1
        for place, (earlier, later) in enumerate(pairwise(times), 1):
            seconds[place].append((later - earlier).total_seconds())
    return [
        Step(
            name=name,
            actors=reached[place],
            overall=Rate(numerator=reached[place], denominator=reached[0]),
            step=Rate(numerator=reached[place], denominator=reached[max(place - 1, 0)]),
            median_seconds=round(median(seconds[place]), 3) if seconds[place] else None,
        )
        for place, name in enumerate(funnel.steps)
    ]


def furthest(acts: Sequence[Act], funnel: Funnel) -> Times:
    """Return when an actor took the steps of the try that led furthest."""
    ordered = _with_ties_as_asked(acts, funnel.steps)
    match funnel.mode:
        case Mode.ORDERED:
            return _ordered(ordered, funnel)
        case Mode.STRICT:
            return _strict(ordered, funnel)
        case Mode.ANY:
            return _any(ordered, funnel)


def _ordered(acts: Sequence[Act], funnel: Funnel) -> Times:
    """Keep for each step the try that began last: whatever comes has most time left for it."""
    tries: list[Times] = [()] * len(funnel.steps)
    best: Times = ()
    places = _places(tuple(funnel.steps))
    for act in acts:
        for place in places.get(act.name, ()):
            if place == 0:
                reached: Times = (act.at,) if act.at < funnel.until else ()
            else:
                before = tries[place - 1]
                in_time = bool(before) and act.at - before[0] <= funnel.within
                reached = (*before, act.at) if in_time else ()
            if reached and (not tries[place] or reached[0] > tries[place][0]):
                tries[place] = reached
            if len(reached) > len(best):
                best = reached
    return best


@lru_cache(maxsize=64)
def _places(steps: tuple[str, ...]) -> Mapping[str, Sequence[int]]:
    """Return where each name stands, from the last step on, so that one act is never two steps."""
    backwards = range(len(steps) - 1, -1, -1)
    return {name: [place for place in backwards if steps[place] == name] for name in set(steps)}


def _strict(acts: Sequence[Act], funnel: Funnel) -> Times:
    best: Times = ()
    for first, act in enumerate(acts):
        if act.at >= funnel.until:
            break
        times: Times = ()
        for name, following in zip(funnel.steps, acts[first:], strict=False):
            if following.name != name or following.at - act.at > funnel.within:
                break
            times = (*times, following.at)
        if len(times) > len(best):
            best = times
    return best


def _any(acts: Sequence[Act], funnel: Funnel) -> Times:
    """Move a window over the acts that are steps, and look how many different ones it holds."""
    wanted, held = Counter(funnel.steps), Counter[str]()
    steps = [act for act in acts if act.name in wanted]
    first, most = 0, 0
    best: Sequence[Act] = ()
    for last, act in enumerate(steps):
        held[act.name] += 1
        while act.at - steps[first].at > funnel.within:
            held[steps[first].name] -= 1
            first += 1
        if steps[first].at >= funnel.until:
            break
        if (found := (held & wanted).total()) > most:
            most, best = found, steps[first : last + 1]
    return tuple(_taken(best, wanted))


def _taken(acts: Sequence[Act], wanted: Counter[str]) -> Iterator[datetime]:
    missing = wanted.copy()
    for act in acts:
        if missing[act.name] > 0:
            missing[act.name] -= 1
            yield act.at


def _with_ties_as_asked(acts: Sequence[Act], steps: Sequence[str]) -> Sequence[Act]:
    """Put acts of one moment into the order of the steps."""
    if len({act.at for act in acts}) == len(acts):
        return acts
    tied = (list(group) for _, group in groupby(acts, key=attrgetter("at")))
    return [act for group in tied for act in _in_order_of(steps, group)]


def _in_order_of(steps: Sequence[str], acts: Sequence[Act]) -> list[Act]:
    places: dict[str, Iterator[int]] = {
        name: iter([place for place, step in enumerate(steps) if step == name])
        for name in {act.name for act in acts}
    }
    return sorted(acts, key=lambda act: next(places[act.name], len(steps)))
