"""Tests that may be looked at again and again, and several challengers."""

import pytest

from medici.domain.experiments.stats.group_sequential import boundary, crossing, group_sequential
from medici.domain.experiments.stats.holm import holm
from medici.domain.experiments.stats.sequential import sequential
from medici.domain.experiments.stats.values import AlwaysValid

UNKNOWN = AlwaysValid(p_value=None, interval=None)
ALPHA = 0.05


class TestSequential:
    def test_decides_a_large_effect_on_few_users(self) -> None:
        found = sequential(28 / 120, 0.05619081248217904, 240, ALPHA, 2000)

        assert found.p_value == pytest.approx(0.0208355, abs=5e-8)
        assert found.interval == pytest.approx((0.0256984, 0.4409682), abs=5e-8)

    def test_tells_nothing_of_what_does_not_vary(self) -> None:
        assert sequential(0.0, 0.0, 100, ALPHA, 2000) == UNKNOWN
        assert sequential(None, None, 0, ALPHA, 2000) == UNKNOWN

    def test_does_not_overflow(self) -> None:
        assert sequential(1.0, 5e-324, 10**7, ALPHA, 100).p_value == 0


class TestGroupSequential:
    def test_asks_for_more_the_earlier_it_is(self) -> None:
        early, late = (group_sequential(0.3, 0.1, n, 1000, ALPHA).p_value for n in (250, 1000))

        assert early == pytest.approx(crossing(1.5))
        assert late == pytest.approx(0.0053996, abs=5e-8)

    def test_has_an_interval_that_touches_zero_where_it_begins_to_decide(self) -> None:
        found = group_sequential(boundary(ALPHA) / 0.5, 1.0, 250, 1000, ALPHA)

        assert found.p_value == pytest.approx(ALPHA, rel=1e-9)
        assert found.interval is not None
        assert found.interval[0] == pytest.approx(0, abs=1e-9)

    def test_takes_a_late_look_as_one_in_time(self) -> None:
        assert group_sequential(2.3, 1.0, 1200, 1000, ALPHA) == group_sequential(
            2.3, 1.0, 1000, 1000, ALPHA
        )

    def test_tells_nothing_of_what_does_not_vary(self) -> None:
        assert group_sequential(0.0, 0.0, 100, 1000, ALPHA) == UNKNOWN
        assert group_sequential(None, None, 0, 1000, ALPHA) == UNKNOWN


class TestCrossing:
    def test_joins_two_series_without_a_seam(self) -> None:
        assert crossing(1 - 1e-12) == pytest.approx(crossing(1), abs=1e-11)

    def test_is_certain_at_zero_and_never_negative_far_out(self) -> None:
        assert (crossing(0), crossing(1e-9), crossing(1e9)) == (1, 1, 0)
        assert 0 < crossing(37) < 1e-298


class TestHolm:
    def test_multiplies_by_how_many_are_left(self) -> None:
        assert holm([0.04, 0.01, 0.02]) == [0.04, 0.03, 0.04]

    def test_skips_those_that_cannot_be_told(self) -> None:
        assert holm([None, 0.03, None, 0.02]) == [None, 0.04, None, 0.04]

    def test_of_nobody_is_nothing(self) -> None:
        assert holm([]) == []
