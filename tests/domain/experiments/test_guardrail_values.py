"""What metrics of guardrails come to, and how far that can be trusted."""

from collections.abc import Sequence

import pytest
from scipy import stats

from medici.domain.experiments.analysis.sums import Sums
from medici.domain.experiments.guardrails.values import count_of, value_of
from medici.domain.experiments.metrics.keys import parse_metric

SUCCESS = parse_metric("render_success_rate")
CONVERSION = parse_metric("paid_conversion_rate")
COST = parse_metric("cost_per_user_usd")
LATENCY = parse_metric("avg_latency_ms")


def of_users(pairs: Sequence[tuple[float, float]]) -> Sums:
    """Add up pairs of a numerator and a denominator."""
    return Sums(
        n=len(pairs),
        num=sum(num for num, _ in pairs),
        num_sq=sum(num * num for num, _ in pairs),
        den=sum(den for _, den in pairs),
        den_sq=sum(den * den for _, den in pairs),
        cross=sum(num * den for num, den in pairs),
    )


class TestValueOf:
    def test_is_none_of_nothing(self) -> None:
        assert value_of(SUCCESS, Sums(n=10)) is None
        assert value_of(CONVERSION, Sums()) is None
        assert value_of(COST, Sums()) is None

    def test_gives_rates_in_percent_with_bounds_after_wilson(self) -> None:
        value = value_of(CONVERSION, Sums(n=200, num=20, num_sq=20))

        interval = stats.binomtest(20, 200).proportion_ci(0.90, method="wilson")
        assert value is not None
        assert (value.actual, value.observations) == (10.0, 200)
        assert value.low == pytest.approx(100 * interval.low)
        assert value.high == pytest.approx(100 * interval.high)

    def test_takes_renders_of_one_user_each_as_independent(self) -> None:
        value = value_of(SUCCESS, of_users([(1, 1)] * 180 + [(0, 1)] * 20))

        interval = stats.binomtest(180, 200).proportion_ci(0.90, method="wilson")
        assert value is not None
        assert (value.actual, value.observations) == (90.0, 200)
        assert value.low == pytest.approx(100 * interval.low, abs=0.05)

    def test_trusts_many_renders_of_few_users_less(self) -> None:
        apart = value_of(SUCCESS, of_users([(1, 1)] * 180 + [(0, 1)] * 20))
        together = value_of(SUCCESS, of_users([(20, 20)] * 9 + [(0, 20)]))

        assert apart is not None
        assert together is not None
        assert together.actual == apart.actual
        assert together.low < apart.low - 10

    def test_gives_means_with_normal_bounds(self) -> None:
        spent = [0.0, 1.0, 2.0, 3.0, 4.0]
        value = value_of(COST, Sums(n=5, num=10, num_sq=30))

        error = float(stats.sem(spent))
        assert value is not None
        assert value.actual == 2.0
        assert value.high == pytest.approx(2 + 1.6448536269514722 * error)

    def test_gives_ratios_by_the_delta_method(self) -> None:
        value = value_of(LATENCY, of_users([(300, 3), (500, 1), (200, 2), (100, 1)]))

        assert value is not None
        assert value.actual == pytest.approx(1100 / 7)
        residuals = [300 - 3 * value.actual, 500 - value.actual, 200 - 2 * value.actual]
        residuals.append(100 - value.actual)
        error = (sum(r * r for r in residuals) * 4 / 3) ** 0.5 / 7
        assert value.low == pytest.approx(value.actual - 1.6448536269514722 * error)

    def test_knows_no_spread_of_one_user(self) -> None:
        value = value_of(LATENCY, of_users([(300, 3)]))

        assert value is not None
        assert (value.low, value.actual, value.high) == (100, 100, 100)


class TestCountOf:
    def test_takes_nobody_as_a_number(self) -> None:
        assert count_of(Sums()).actual == 0
        assert count_of(Sums(n=100)).actual == 0

    def test_counts_users(self) -> None:
        value = count_of(Sums(n=200, num=20, num_sq=20))

        assert value.actual == pytest.approx(20)
        assert value.low == pytest.approx(13.97, abs=0.2)
