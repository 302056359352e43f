"""Rates carry their counts and say how far they can be trusted."""

import pytest

from medici.domain.analytics.rates import Rate


class TestRate:
    @pytest.mark.parametrize(
        ("numerator", "denominator", "percent", "interval"),
        [
            (0, 0, None, None),
            (0, 10, 0.0, (0.0, 27.7533)),
            (10, 10, 100.0, (72.2467, 100.0)),
            (1, 3, 33.33, (6.1492, 79.234)),
            (48, 120, 40.0, (31.6764, 48.944)),
        ],
    )
    def test_is_a_percentage_with_wilsons_interval(
        self,
        numerator: int,
        denominator: int,
        percent: float | None,
        interval: tuple[float, float] | None,
    ) -> None:
        rate = Rate(numerator=numerator, denominator=denominator)
        assert (rate.percent, rate.interval) == (percent, interval)
