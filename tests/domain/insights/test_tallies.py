"""Renders are counted by how they ended, and by nothing that a client says."""

from medici.domain.events.facts import EventName
from medici.domain.insights.overview import health_score
from medici.domain.insights.tallies import Tally, tallies_by, tally
from tests.domain.insights.cells import cell


class TestTally:
    def test_counts_ends_alone(self) -> None:
        done = tally(
            [
                cell(),
                cell(status="failed", events=2, timed=2, latency_ms=1_000, credits=2),
                cell(name=EventName.RENDER_CANCELED, status="canceled", events=3, timed=3),
                cell(status="in_progress", events=50, timed=0, latency_ms=0, costed=0),
                cell(name=EventName.RENDER_DISPATCHED, status="queued", events=20),
                cell(name=EventName.RENDER_DISPATCH_FAILED, status="failed", events=2),
                cell(name=EventName.RENDER_PROVIDER_ATTEMPT_FAILED, status="failed", events=4),
            ]
        )

        assert (done.completed, done.failed, done.canceled, done.finished) == (10, 2, 3, 12)
        assert (done.dispatched, done.failed_attempts, done.events) == (20, 4, 91)
        assert (done.success_rate, done.average_latency_ms) == (83.33, 1750.0)
        assert done.credits == 10
        assert done.cost_micros == 750_000  # of all that ended

    def test_believes_no_client(self) -> None:
        assert tally([cell(trusted=False), cell(name="order_paid")]) == Tally()

    def test_is_told_apart_by_what_is_known(self) -> None:
        found = tallies_by([cell(), cell(provider="openai"), cell(provider="")], "provider")
        assert {name: done.completed for name, done in found.items()} == {"fal": 10, "openai": 10}


class TestHealthScore:
    def test_is_100_of_a_quick_provider_that_never_fails(self) -> None:
        assert health_score(Tally(completed=5, timed=5, latency_ms=12_500)) == 100.0

    def test_falls_with_failures_and_with_every_75_milliseconds(self) -> None:
        assert health_score(Tally(completed=1, failed=1, timed=2, latency_ms=5_000)) == 65.0
        assert health_score(Tally(completed=1, timed=1, latency_ms=2_575)) == 99.7
        assert health_score(Tally(completed=1, timed=1, latency_ms=60_000)) == 70.0
