"""A process: runs side by side, a clock of its own, and a life that ends at any moment."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from medici.jobs.claims import Claim
from medici.jobs.errors import RunTimedOut
from medici.jobs.failures import failure_of
from medici.jobs.outcomes import Failed, HandedBack, Lost, Outcome
from tests.sim.queue import Queue, is_held
from tests.sim.rows import Store

CONCURRENCY = 3
Performing = Callable[[Claim, Callable[[], datetime]], Coroutine[Any, Any, Outcome]]


@dataclass(slots=True, kw_only=True, eq=False)
class Active:
    """A run, or a request to the API, and how it ended once it has."""

    work: Coroutine[Any, Any, Outcome | None]
    claim: Claim | None
    started_at: datetime
    outcome: Outcome | None = None
    where: str = "not begun"

    def stop(self, outcome: Outcome) -> None:
        self.work.close()
        self.outcome = self.outcome or outcome


@dataclass(slots=True, kw_only=True, eq=False)
class Process:
    """Claims jobs and serves requests. While ``frozen`` it does nothing, its leases run out."""

    name: str
    store: Store
    queue: Queue
    dice: Random
    perform: Performing
    skew: timedelta
    frozen: bool = False
    active: list[Active] = field(default_factory=list)

    def now(self) -> datetime:
        return self.store.moment + self.skew

    def serve(self, request: Coroutine[Any, Any, None]) -> None:
        self.active.append(Active(work=request, claim=None, started_at=self.store.moment))

    def claim(self, draw: int) -> str:
        """Take back what is lost, then take one job that is due."""
        self.queue.recover_lost(self.now())
        due = self.queue.due()
        if not due or sum(one.claim is not None for one in self.active) >= CONCURRENCY:
            return "nothing to claim"
        claim = self.queue.claim(due[draw % len(due)])
        work = self.perform(claim, self.now)
        self.active.append(Active(work=work, claim=claim, started_at=self.store.moment))
        return f"{claim.kind} {claim.id.int}, fence {claim.fence}"

    def advance(self, draw: int) -> str:
        """Move one run to its next pause; after its last one, write down how it ended."""
        if not self.active:
            return "idle"
        active = self.active[draw % len(self.active)]
        if active.outcome is not None:
            return self._settle(active)
        self.store.robbed = active.claim is not None and not is_held(
            self.store.jobs[active.claim.id], active.claim
        )
        try:
            active.where = active.work.send(None)
        except StopIteration as stopped:
            active.outcome = stopped.value
            active.where = f"ended {stopped.value.name if stopped.value else ''}"
            if active.claim is None:
                self.active.remove(active)
        return f"{_name(active)}: {active.where}"

    def beat(self) -> None:
        """Renew all leases; stop what has lost its own or takes too long."""
        for active in self.active:
            if active.claim is None:
                continue
            limit = self.store.jobs[active.claim.id].kind.timeout_seconds
            if not self.queue.extend(active.claim):
                active.stop(Lost())
            elif (self.store.moment - active.started_at).total_seconds() > limit:
                active.stop(Failed(failure=failure_of(RunTimedOut(limit))))

    def crash(self) -> None:
        for active in self.active:
            active.work.close()
        self.active.clear()
        self.frozen = False

    def hand_back(self) -> None:
        """Stop in an orderly way: requests are finished, runs go back."""
        for active in tuple(self.active):
            if active.claim is not None:
                active.stop(HandedBack())
                self._settle(active)

    def _settle(self, active: Active) -> str:
        self.active.remove(active)
        if active.claim is not None and active.outcome is not None:
            self.queue.settle(active.claim, active.outcome, now=self.now(), draw=self.dice.random())
        return f"{_name(active)}: settled"


def _name(active: Active) -> str:
    if active.claim is None:
        return "request"
    return f"{active.claim.kind} {active.claim.id.int}"
