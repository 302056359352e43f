"""When a failing provider is left alone, and when it is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from medici.adapters.providers.failure import FailureCode
from medici.domain.routing.circuits import CLOSED, Circuit, failed, tried

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def after(*codes: FailureCode) -> Circuit:
    circuit = CLOSED
    for code in codes:
        circuit = failed(circuit, code, NOW)
    return circuit


class TestFailed:
    def test_opens_at_the_fifth_failure_in_a_row(self) -> None:
        four = after(*[FailureCode.UNAVAILABLE] * 4)
        five = failed(four, FailureCode.UNAVAILABLE, NOW)

        assert (four.failures, four.is_open) == (4, False)
        assert five.retry_at == NOW + timedelta(seconds=30)

    @pytest.mark.parametrize("code", [FailureCode.AUTH, FailureCode.QUOTA])
    def test_opens_at_once_where_no_later_call_can_fare_better(self, code: FailureCode) -> None:
        assert after(code).retry_at == NOW + timedelta(minutes=10)

    @pytest.mark.parametrize("code", [FailureCode.MODERATED, FailureCode.INVALID_INPUT])
    def test_takes_a_refusal_of_the_picture_for_a_sign_of_health(self, code: FailureCode) -> None:
        assert after(*[FailureCode.UNAVAILABLE] * 4, code) == CLOSED

    def test_pauses_twice_as_long_after_each_failed_trial_up_to_ten_minutes(self) -> None:
        circuit, pauses = after(*[FailureCode.UNAVAILABLE] * 5), []
        for _ in range(6):
            circuit = failed(circuit, FailureCode.UNAVAILABLE, NOW)
            assert circuit.retry_at is not None
            pauses.append((circuit.retry_at - NOW).total_seconds())

        assert pauses == [60, 120, 240, 480, 600, 600]

    def test_heeds_a_longer_hint_of_the_provider(self) -> None:
        circuit = failed(
            after(*[FailureCode.RATE_LIMITED] * 4), FailureCode.RATE_LIMITED, NOW, wait_seconds=90
        )

        assert circuit.retry_at == NOW + timedelta(seconds=90)


class TestTried:
    def test_admits_one_attempt_once_the_pause_is_over(self) -> None:
        circuit = after(*[FailureCode.UNAVAILABLE] * 5)
        later = NOW + timedelta(seconds=30)

        assert not circuit.admits(later - timedelta(milliseconds=1))
        assert circuit.admits(later)
        assert not tried(circuit, later).admits(later)


class TestDeadProvider:
    def test_is_asked_by_less_than_one_job_in_a_hundred(self) -> None:
        circuit = after(*[FailureCode.UNAVAILABLE] * 5)
        jobs = [NOW + timedelta(seconds=n / 10) for n in range(6000)]  # ten a second
        asked = 0
        for now in jobs:
            if circuit.admits(now):
                asked += 1
                circuit = failed(tried(circuit, now), FailureCode.UNAVAILABLE, now)

        assert asked / len(jobs) < 0.01
        assert asked == 4  # after 30, 90, 210 and 450 seconds
