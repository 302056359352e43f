"""The machine of job states: what becomes of a run that ended in one way or another. Pure."""

from dataclasses import dataclass

from medici.jobs.failures import Failure, wait_seconds
from medici.jobs.models import State

LOSSES_ALLOWED = 3  # a job that outlives so many workers in a row is taken to kill them
BURIAL_ATTEMPTS = 8  # last words set money and promises right: worth more tries than most work
WORKER_LOST = "worker_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a running job stands. ``attempts`` counts the present run."""

    attempts: int
    max_attempts: int
    losses: int = 0
    burial: str | None = None
    rung: bool = False

    @property
    def exhausted(self) -> bool:
        return self.attempts >= (BURIAL_ATTEMPTS if self.burial else self.max_attempts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What to store when a run has ended.

    A ready job is due after ``delay_seconds``; with ``asked``, when it was asked for again if that
    is sooner, or in any case where there is no delay of its own.
    """

    state: State
    attempts: int
    losses: int = 0
    burial: str | None = None
    rung: bool = False
    delay_seconds: float | None = 0.0
    asked: bool = False


AFRESH = Next(state=State.READY, attempts=0, delay_seconds=None, asked=True)


def after_done(standing: Standing) -> Next:
    """Finish; or start afresh where somebody asked for the work again while it ran."""
    if standing.rung:
        return AFRESH
    return _final(standing)


def after_again(standing: Standing, *, delay_seconds: float) -> Next:
    """Wait for the moment that the run asked for. It ended well, so failures are forgotten."""
    return Next(
        state=State.READY,
        attempts=0,
        burial=standing.burial,
        rung=_kept_ring(standing),
        delay_seconds=max(delay_seconds, 0.0),
        asked=standing.rung,
    )


def after_failure(standing: Standing, failure: Failure, *, draw: float) -> Next:
    """Try again later, or give up when that is pointless or was done often enough."""
    if failure.first_wait_seconds is None or standing.exhausted:
        return _given_up(standing, reason=failure.code)
    return Next(
        state=State.READY,
        attempts=standing.attempts,
        losses=0,
        burial=standing.burial,
        rung=_kept_ring(standing),
        delay_seconds=wait_seconds(failure, attempts=standing.attempts, draw=draw),
    )


def after_loss(standing: Standing) -> Next:
    """Let another worker try at once, unless this job has seen too many of them die.

    Last words are no suspects: they are given up only when all their tries are used.
    """
    losses = standing.losses + 1
    suspect = losses >= LOSSES_ALLOWED and standing.burial is None
    if suspect or standing.exhausted:
        return _given_up(standing, reason=WORKER_LOST)
    return Next(
        state=State.READY,
        attempts=standing.attempts,
        losses=losses,
        burial=standing.burial,
        rung=_kept_ring(standing),
    )


def after_hand_back(standing: Standing, *, delay_seconds: float = 0.0) -> Next:
    """Leave the job as it was before this run, for another worker: the job is not to blame."""
    return Next(
        state=State.READY,
        attempts=standing.attempts - 1,
        losses=standing.losses,
        burial=standing.burial,
        rung=_kept_ring(standing),
        delay_seconds=delay_seconds,
    )


def _given_up(standing: Standing, *, reason: str) -> Next:
    if standing.burial is not None:
        return AFRESH if standing.rung else _final(standing)
    return Next(state=State.READY, attempts=0, burial=reason, rung=standing.rung)


def _final(standing: Standing) -> Next:
    return Next(
        state=State.DEAD if standing.burial else State.DONE,
        attempts=standing.attempts,
        losses=standing.losses,
        burial=standing.burial,
    )


def _kept_ring(standing: Standing) -> bool:
    """A new run of the work itself answers a ring; last words do not."""
    return standing.rung and standing.burial is not None
