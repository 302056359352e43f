"""What an error means for the job that raised it: try again, when, or give up."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from medici.kernel.errors import Kind, MediciError

# The longest wait before the second run, in seconds; later waits grow. A kind that is missing
# here will fail the same way each time, so there is no second run.
FIRST_WAIT_SECONDS: Mapping[Kind, float] = {
    Kind.UNAVAILABLE: 2.0,
    Kind.BAD_GATEWAY: 2.0,
    Kind.RATE_LIMITED: 5.0,
    Kind.INTERNAL: 5.0,
}
GROWTH = 3.0
LONGEST_WAIT_SECONDS = 300.0
UNEXPECTED = "unexpected_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a run failed. ``first_wait_seconds`` is None where trying again is pointless."""

    code: str
    message: str
    first_wait_seconds: float | None
    retry_after_seconds: float = 0.0


def failure_of(error: Exception) -> Failure:
    """Read an error as a handler raised it."""
    cause = _first_cause(error)
    if isinstance(cause, MediciError):
        return Failure(
            code=cause.code,
            message=str(cause).replace("\0", "")[:500],
            first_wait_seconds=FIRST_WAIT_SECONDS.get(cause.kind),
            retry_after_seconds=cause.retry_after_seconds or 0.0,
        )
    return Failure(
        code=UNEXPECTED,
        message=_whereabouts(cause),
        first_wait_seconds=FIRST_WAIT_SECONDS[Kind.INTERNAL],
    )


def wait_seconds(failure: Failure, *, attempts: int, draw: float) -> float:
    """Return how long to wait before the next run, after ``attempts`` runs.

    ``draw`` in [0, 1) spreads the waits over their whole range, so that jobs which failed together
    do not come back together. What the other side asked for comes on top of that.
    """
    widest = (failure.first_wait_seconds or 0.0) * GROWTH ** (attempts - 1)
    return failure.retry_after_seconds + draw * min(widest, LONGEST_WAIT_SECONDS)


def _first_cause(error: Exception) -> Exception:
    """Look into the groups that task groups raise."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _whereabouts(error: Exception) -> str:
    """Name an unexpected error by type and place; its text may hold what must not be stored."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
