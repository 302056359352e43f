"""One run that a worker has under way, and how it ends."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from medici.jobs.claims import Claim
from medici.jobs.errors import RunAborted
from medici.jobs.failures import failure_of
from medici.jobs.outcomes import Failed, HandedBack, Lost, Outcome
from medici.jobs.run import Run


class Stop(StrEnum):
    """Why a worker ended a run before its time."""

    LOST = "lost"
    DRAINED = "drained"


@dataclass(slots=True, kw_only=True, eq=False)
class Active:
    """A claim, the task of its handler, and whether we told it to stop."""

    claim: Claim
    run: Run[Any]
    task: asyncio.Task[Outcome]
    started_at: float  # of the loop's clock
    stopped: Stop | None = None

    def stop(self, reason: Stop) -> None:
        self.stopped = self.stopped or reason
        self.task.cancel()

    @property
    def outcome(self) -> Outcome:
        """How it ended; a handler that does not let itself be stopped counts as stopped."""
        if self.task.done() and not self.task.cancelled():
            return self.task.result()
        match self.stopped:
            case Stop.LOST:
                return Lost()
            case Stop.DRAINED:
                return HandedBack()
            case None:
                return Failed(failure=failure_of(RunAborted("cancelled from within")))
