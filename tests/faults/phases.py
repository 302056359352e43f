"""How fast customers were served in each stretch of a test."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

from tests.faults.accounts import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of time, by the clock on the wall, in seconds."""

    name: str
    begun_at: float
    ended_at: float

    def __contains__(self, moment: float) -> bool:
        return self.begun_at <= moment < self.ended_at


class Phases:
    """The stretches of one test, in order; several may have one name."""

    def __init__(self) -> None:
        self._all: list[Phase] = []

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        begun_at = time.time()
        yield
        self._all.append(Phase(name=name, begun_at=begun_at, ended_at=time.time()))

    def service(self, told: Books) -> dict[str, "Service"]:
        """Tell by name how customers were served."""
        phases: dict[str, list[Phase]] = {}
        for phase in self._all:
            phases.setdefault(phase.name, []).append(phase)
        return {name: Service.during(parts, told) for name, parts in phases.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How long orders took to be answered, and their pictures to be there; times are sorted."""

    answers: Sequence[float]  # seconds
    pictures: Sequence[float]  # seconds from the order, of those that were ordered here
    delivered: int  # pictures that came in this stretch, whenever they were ordered

    @classmethod
    def during(cls, phases: Sequence[Phase], told: Books) -> "Service":
        def within(moment: float) -> bool:
            return any(moment in phase for phase in phases)

        return cls(
            answers=sorted(line.took_seconds for line in told.lines if within(line.sent_at)),
            pictures=sorted(end - start for start, end in _delivered(told) if within(start)),
            delivered=sum(within(end) for _, end in _delivered(told)),
        )

    @property
    def answers_p95(self) -> float:
        return percentile(self.answers, 0.95)

    def __str__(self) -> str:
        return (
            f"{len(self.answers)} answers, p50 {1000 * percentile(self.answers, 0.5):.0f} ms, "
            f"p95 {1000 * self.answers_p95:.0f} ms; "
            f"{self.delivered} pictures, p50 {percentile(self.pictures, 0.5):.2f} s, "
            f"p95 {percentile(self.pictures, 0.95):.2f} s after the order"
        )


def percentile(times: Sequence[float], share: float) -> float:
    """Return the smallest of these sorted times that so many are not above."""
    return times[max(ceil(share * len(times)) - 1, 0)] if times else 0.0


def _delivered(told: Books) -> Iterator[tuple[float, float]]:
    """Tell when each picture was ordered, and when it was there."""
    for one in told.stored:
        if one.picture is not None and one.job.finished_at is not None:
            yield one.job.created_at.timestamp(), one.job.finished_at.timestamp()
