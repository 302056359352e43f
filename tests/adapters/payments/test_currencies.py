"""Amounts in the minor unit of their currency, and the length of a paid period."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from medici.adapters.payments.currencies import exponent_of, half_up, minor_units
from medici.adapters.payments.periods import period_between

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


class TestMinorUnits:
    @pytest.mark.parametrize(
        ("amount", "currency", "minor"),
        [
            ("10.99", "USD", 1099),
            ("10.99", "usd", 1099),
            ("2000", "JPY", 2000),
            ("2000.5", "JPY", 2001),
            ("4.99", "KWD", 4990),
            ("0.004", "EUR", 0),
            ("0.005", "EUR", 1),
            ("-10.99", "USD", -1099),
        ],
    )
    def test_have_the_places_of_the_currency(self, amount: str, currency: str, minor: int) -> None:
        assert minor_units(Fraction(amount), currency) == minor

    def test_of_a_currency_that_is_not_listed_have_two_places(self) -> None:
        assert [exponent_of(code) for code in ("ZZZ", "KRW", "BHD")] == [2, 0, 3]


class TestHalfUp:
    @pytest.mark.parametrize(
        ("exact", "rounded"), [("0.5", 1), ("1.4", 1), ("-0.5", -1), ("-1.4", -1), ("0", 0)]
    )
    def test_goes_away_from_zero(self, exact: str, rounded: int) -> None:
        assert half_up(Fraction(exact)) == rounded


class TestPeriods:
    @pytest.mark.parametrize(
        ("days", "name"),
        [
            (7, "P1W"),
            (28, "P1M"),
            (31, "P1M"),
            (61, "P2M"),
            (90, "P3M"),
            (182, "P6M"),
            (365, "P1Y"),
            (366, "P1Y"),
            (3, None),
            (45, None),
        ],
    )
    def test_are_named_by_their_length(self, days: int, name: str | None) -> None:
        assert period_between(START, START + timedelta(days=days)) == name

    def test_without_an_end_have_no_name(self) -> None:
        assert period_between(START, None) is None
        assert period_between(None, START) is None
