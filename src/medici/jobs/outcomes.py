"""The ways in which a run can end."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias

from medici.jobs.failures import Failure
from medici.jobs.rules import (
    Next,
    Standing,
    after_again,
    after_done,
    after_failure,
    after_hand_back,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The run did its work."""

    name: ClassVar[str] = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What a handler returns to be run again at a moment, without having failed."""

    name: ClassVar[str] = "again"
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The run raised an error."""

    name: ClassVar[str] = "failed"
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBack:
    """The job is not to blame: its worker had to stop, or does not know its kind."""

    name: ClassVar[str] = "handed_back"
    wait_seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The job was no longer this run's, so there is nothing to write."""

    name: ClassVar[str] = "lost"


Outcome: TypeAlias = Done | Again | Failed | HandedBack | Lost


def following_from(
    standing: Standing, outcome: Done | Again | Failed | HandedBack, *, now: datetime, draw: float
) -> Next:
    match outcome:
        case Done():
            return after_done(standing)
        case Again(at=at):
            return after_again(standing, delay_seconds=(at - now).total_seconds())
        case Failed(failure=failure):
            return after_failure(standing, failure, draw=draw)
        case HandedBack(wait_seconds=seconds):
            return after_hand_back(standing, delay_seconds=seconds)
