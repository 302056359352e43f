"""Figures are told plainly."""

from decimal import Decimal
from fractions import Fraction

import pytest

from medici.domain.insights.alerts import TUNABLES
from medici.domain.insights.figures import LatencyFigure, Method, money, plain
from medici.domain.insights.subscriptions import months_of
from medici.domain.plans.variables import Tunables


class TestPlain:
    @pytest.mark.parametrize(
        ("amount", "told"),
        [("0", "0.00"), ("-0.02", "-0.02"), ("1E+3", "1000.00"), ("5.7450000", "5.745")],
    )
    def test_has_two_decimals_at_least_and_no_exponent(self, amount: str, told: str) -> None:
        assert plain(Decimal(amount)) == told


class TestMoney:
    def test_stands_by_currency_without_zeroes(self) -> None:
        told = money({"usd": Decimal(1), "eur": Decimal("2.5"), "jpy": Decimal(0)})
        assert [(each.currency, each.amount) for each in told] == [("eur", "2.50"), ("usd", "1.00")]


class TestLatency:
    def test_says_how_it_was_found(self) -> None:
        assert LatencyFigure.exact([3, 1, 2]).method is Method.EXACT
        told = LatencyFigure.of_bins({10: 19, 20: 1})
        assert (told.count, told.p50, told.p95, told.p99) == (20, 10, 10, 20)
        assert told.method is Method.HISTOGRAM


class TestMonths:
    @pytest.mark.parametrize(
        ("period", "months"),
        [("P1M", 1), ("P1Y", 12), ("P3M", 3), ("P6M", 6), (None, 1), ("odd", 1), ("P0M", 1)],
    )
    def test_are_read_off_the_period(self, period: str | None, months: int) -> None:
        assert months_of(period) == months

    def test_of_a_week_are_twelve_to_365_days(self) -> None:
        assert months_of("P1W") == Fraction(84, 365)


class TestTunables:
    def test_have_defaults_within_their_bounds(self) -> None:
        known = Tunables.of(TUNABLES)
        assert all(tunable.accept(tunable.default) == tunable.default for tunable in known)
        assert {tunable.key: tunable.default for tunable in known} == {
            "analytics_alert_min_success_rate_pct": 85.0,
            "analytics_alert_max_p95_latency_ms": 12_000,
            "analytics_alert_max_avg_cost_usd": 0.12,
            "analytics_alert_max_queued_jobs": 50,
            "analytics_payment_fee_ios_pct": 15.0,
            "analytics_payment_fee_android_pct": 15.0,
            "analytics_payment_fee_web_pct": 3.0,
        }
