"""Money: exact in, exact out, one rounding, one currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.kernel.money import (
    LARGEST,
    CurrencyMismatch,
    InvalidAmount,
    InvalidDecimal,
    InvalidJson,
    Money,
    loads_exact,
    parse_decimal,
)

ODD_NUMBERS = ["", "1_000", " 5 ", "5\n", "1e3", "-0", "-1", "+1", "01", ".5", "1.", "1,5", "٣"]
ODD_NUMBERS += ["NaN", "1\u200b", "0x1"]
BROKEN_JSON = [b"NaN", b"[Infinity]", b"-Infinity", b"1e309", b"1e999999999", b"", b"{", b"1 2"]
BROKEN_JSON += [b"\xff"]


def usd(amount_micros: int) -> Money:
    return Money(amount_micros=amount_micros, currency="usd")


class TestMoney:
    def test_adds_and_subtracts_one_currency(self) -> None:
        assert usd(3) + usd(4) == usd(7)
        assert usd(3) - usd(4) == usd(-1)

    def test_does_not_mix_currencies(self) -> None:
        with pytest.raises(CurrencyMismatch):
            usd(1) + Money(amount_micros=1, currency="eur")

    def test_does_not_overflow_its_column(self) -> None:
        assert (usd(LARGEST - 1) + usd(1)).amount_micros == LARGEST
        with pytest.raises(InvalidAmount):
            usd(LARGEST) + usd(1)

    @pytest.mark.parametrize("currency", ["USD", "us", "usd ", "", "ußd", "usd\n"])
    def test_refuses_what_is_no_currency(self, currency: str) -> None:
        with pytest.raises(InvalidAmount):
            Money(amount_micros=1, currency=currency)

    @pytest.mark.parametrize(
        ("amount", "micros"),
        [
            ("12.5", 12_500_000),
            ("0.0000005", 0),
            ("0.0000015", 2),
            ("0.0000025", 2),
            ("0.00000250000000000000000000000000000001", 3),
            ("-0.0000015", -2),
            ("9223372036854.775807", LARGEST),
        ],
    )
    def test_rounds_half_even_once(self, amount: str, micros: int) -> None:
        assert Money.from_decimal(Decimal(amount), "usd") == usd(micros)

    @pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e999999999", "9223372036854.775808"])
    def test_refuses_what_it_cannot_hold(self, amount: str) -> None:
        with pytest.raises(InvalidAmount):
            Money.from_decimal(Decimal(amount), "usd")

    @given(st.integers(-LARGEST, LARGEST))
    def test_comes_back_as_it_went(self, amount_micros: int) -> None:
        money = usd(amount_micros)

        assert Money.from_decimal(money.to_decimal(), "usd") == money


class TestParseDecimal:
    def test_keeps_every_digit(self) -> None:
        assert str(parse_decimal("123456789012345678.123456789012345678")) == (
            "123456789012345678.123456789012345678"
        )

    @pytest.mark.parametrize("text", [*ODD_NUMBERS, "1" * 19, "0." + "1" * 19])
    def test_refuses_what_decimal_would_take(self, text: str) -> None:
        with pytest.raises(InvalidDecimal):
            parse_decimal(text)


class TestLoadsExact:
    def test_never_passes_through_a_float(self) -> None:
        decoded = loads_exact(b'{"cost": 0.1000000000000000055, "count": 3, "tiny": 1e-45}')

        assert decoded == {
            "cost": Decimal("0.1000000000000000055"),
            "count": 3,
            "tiny": Decimal("1e-45"),
        }

    @pytest.mark.parametrize("raw", [*BROKEN_JSON, b"1" * 5000, b"[" * 100_000])
    def test_refuses_what_is_no_json(self, raw: bytes) -> None:
        with pytest.raises(InvalidJson):
            loads_exact(raw)
