"""Decisions about a provider that fails: when to leave it alone, and when to try it again. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from medici.adapters.providers.failure import FailureCode

FAILURES_TO_OPEN = 5  # in a row
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
TRIAL = timedelta(seconds=60)  # for the one attempt that tries an open circuit out
HOPELESS = frozenset({FailureCode.AUTH, FailureCode.QUOTA})  # no later call will fare better
SICK = frozenset(
    {
        FailureCode.UNAVAILABLE,
        FailureCode.RATE_LIMITED,
        FailureCode.TIMEOUT_AMBIGUOUS,
        FailureCode.NO_OUTPUT,
        FailureCode.PROVIDER_FAILED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What is known of one provider's health for one operation."""

    failures: int = 0
    openings: int = 0
    reason: FailureCode | None = None
    retry_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.retry_at is not None

    def admits(self, now: datetime) -> bool:
        """Tell whether an attempt may be sent; through an open circuit it is the trial."""
        return self.retry_at is None or self.retry_at <= now


CLOSED = Circuit()


def tried(circuit: Circuit, now: datetime) -> Circuit:
    """Return the circuit while one attempt tries it out, so that no second does."""
    return replace(circuit, retry_at=now + TRIAL)


def failed(
    circuit: Circuit, code: FailureCode, now: datetime, *, wait_seconds: float | None = None
) -> Circuit:
    """Return the circuit after an attempt failed; ``wait_seconds`` is the provider's own hint.

    A refusal of what the customer sent says nothing about the provider's health, except that it
    answers.
    """
    if code not in HOPELESS | SICK:
        return CLOSED
    failures = circuit.failures + 1
    opens = code in HOPELESS or circuit.is_open or failures >= FAILURES_TO_OPEN
    if not opens:
        return replace(circuit, failures=failures, reason=code)
    pause = max(_pause(circuit.openings, code), timedelta(seconds=wait_seconds or 0))
    return Circuit(
        failures=failures, openings=circuit.openings + 1, reason=code, retry_at=now + pause
    )


def _pause(openings: int, code: FailureCode) -> timedelta:
    if code in HOPELESS:
        return LONGEST_PAUSE
    doubled: timedelta = FIRST_PAUSE * 2 ** min(openings, 10)
    return min(LONGEST_PAUSE, doubled)
