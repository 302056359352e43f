"""Looks after the providers: who may be asked, how often, and by how many at once."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from medici.adapters.providers.failure import FailureCode
from medici.domain.rendering.models import AttemptState
from tests.sim.promises import hold_to
from tests.sim.rows import Attempt, Turn

TRIES_AGAIN = {  # at the same provider, after a failure of this kind
    FailureCode.UNAVAILABLE: 2,
    FailureCode.RATE_LIMITED: 2,
    FailureCode.NO_OUTPUT: 1,
}
HEALTHY = {FailureCode.MODERATED, FailureCode.INVALID_INPUT}  # the customer's input was refused
HOPELESS = {FailureCode.AUTH, FailureCode.QUOTA}
FAILURES_BORNE = 4
PAUSES = (30, 60, 120, 240, 480, 600)  # seconds
TRIAL = timedelta(seconds=60)


@dataclass(slots=True)
class Chart:
    """How one provider fares. Until ``asleep_until`` it is to be left alone."""

    failures: int = 0
    pauses: int = 0
    asleep_until: datetime | None = None
    open: int = 0

    def recover(self) -> None:
        self.failures = self.pauses = 0
        self.asleep_until = None

    def worsen(self, attempt: Attempt, at: datetime) -> None:
        self.failures += 1
        hopeless = attempt.failure_code in HOPELESS
        if self.failures > FAILURES_BORNE or hopeless or self.asleep_until is not None:
            seconds = PAUSES[-1] if hopeless else PAUSES[min(self.pauses, len(PAUSES) - 1)]
            longer = max(seconds, attempt.retry_after_seconds or 0)
            self.asleep_until = at + timedelta(seconds=longer)
            self.pauses += 1


class Doctor:
    """Keeps a chart of every provider, of what its attempts came to."""

    def __init__(self, caps: Mapping[str, int | None]) -> None:
        self._caps = caps
        self._charts: dict[str, Chart] = defaultdict(Chart)

    def look(self, turn: Turn) -> None:
        if turn.state is AttemptState.SENDING:
            self._begun(turn.attempt, turn.at)
        else:
            self._ended(turn.attempt, turn.state, turn.at)

    def _begun(self, attempt: Attempt, at: datetime) -> None:
        chart, cap = self._charts[attempt.provider], self._caps[attempt.provider]
        chart.open += 1
        hold_to(cap is None or chart.open <= cap, "a provider has more work than it takes")
        _may_be_asked_again(attempt)
        if chart.asleep_until is not None:
            hold_to(chart.asleep_until <= at, "a provider was not left alone")
            chart.asleep_until = at + TRIAL

    def _ended(self, attempt: Attempt, state: AttemptState, at: datetime) -> None:
        chart = self._charts[attempt.provider]
        chart.open -= 1
        if state is AttemptState.SUCCEEDED or attempt.failure_code in HEALTHY:
            chart.recover()
        elif state is AttemptState.FAILED:
            chart.worsen(attempt, at)


def _may_be_asked_again(attempt: Attempt) -> None:
    """A provider is asked again only after a failure that may pass, and only so often."""
    *earlier, now = attempt.order.attempts
    before = [one for one in earlier if one.provider == now.provider]
    if not before:
        return
    tries = Counter(one.provider for one in earlier)[now.provider]
    code = before[-1].failure_code
    most = TRIES_AGAIN.get(code, 0) if code is not None else 0
    hold_to(tries <= most, "a provider is asked again too often")
