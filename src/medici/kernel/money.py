"""Exact money: integers inside, decimals at the edges, floats nowhere."""

import json
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from medici.kernel.errors import Kind, MediciError

MICROS = 6  # decimal places of a micro
LARGEST = 2**63 - 1  # what a BIGINT column holds
WIDE = Context(prec=80)  # more digits than any amount has, so only our own rounding rounds

CURRENCY = re.compile(r"[a-z]{3}", re.ASCII)
PLAIN_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?", re.ASCII)
LARGEST_EXPONENT = 308  # a double reaches no further; past it a number is an attack


class CurrencyMismatch(MediciError):
    """Amounts of different currencies were about to be added or compared."""

    code = "currency_mismatch"

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"{left} and {right} do not add up")


class InvalidAmount(MediciError):
    """The amount or its currency is none that we can keep."""

    kind = Kind.UNPROCESSABLE
    code = "invalid_amount"


class InvalidDecimal(MediciError):
    """The text is no plain decimal number."""

    kind = Kind.UNPROCESSABLE
    code = "invalid_decimal"


class InvalidJson(MediciError):
    """The bytes are not JSON, or hold a number that nobody can mean."""

    kind = Kind.INVALID
    code = "invalid_json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount in millionths of a currency; ``currency`` is ISO 4217 in lower case."""

    amount_micros: int
    currency: str

    def __post_init__(self) -> None:
        if not CURRENCY.fullmatch(self.currency):
            raise InvalidAmount(f"{self.currency!r} is no lower-case ISO 4217 code")
        if abs(self.amount_micros) > LARGEST:
            raise InvalidAmount("the amount does not fit in 64 bits")

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: str) -> "Money":
        """Take an amount in currency units, rounded half-even to the micro, once."""
        if not amount.is_finite() or amount.adjusted() > 18:
            raise InvalidAmount("the amount does not fit in 64 bits")
        micros = amount.scaleb(MICROS, WIDE).to_integral_value(ROUND_HALF_EVEN, WIDE)
        return cls(amount_micros=int(micros), currency=currency)

    def to_decimal(self) -> Decimal:
        """Return the amount in currency units, exactly, with six decimal places."""
        return Decimal(self.amount_micros).scaleb(-MICROS, WIDE)

    def __add__(self, other: "Money") -> "Money":
        return self._with(self.amount_micros + self._micros_of(other))

    def __sub__(self, other: "Money") -> "Money":
        return self._with(self.amount_micros - self._micros_of(other))

    def _micros_of(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.amount_micros

    def _with(self, amount_micros: int) -> "Money":
        return Money(amount_micros=amount_micros, currency=self.currency)


def parse_decimal(text: str) -> Decimal:
    """Read a number >= 0 that a client sent as text.

    Taken are at most 18 ASCII digits on each side of the point; no sign, space, exponent,
    underscore or leading zero, all of which ``Decimal`` itself would let pass.

    Raises:
        InvalidDecimal: the text is anything else.
    """
    if not PLAIN_DECIMAL.fullmatch(text):
        raise InvalidDecimal("expected a plain decimal number such as 12.50")
    return Decimal(text)


def loads_exact(raw: bytes | str) -> object:
    """Decode JSON without a float in between: fractions come out as ``Decimal``.

    Raises:
        InvalidJson: broken or too deeply nested, NaN or Infinity, or a number past 1e308.
    """
    try:
        decoded: object = json.loads(raw, parse_float=_number, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidJson("the body is not valid JSON") from error
    return decoded


def _number(digits: str) -> Decimal:
    number = Decimal(digits)
    # Decimal holds 1e999999999 in a few bytes, and turning it into an integer takes a gigabyte.
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError("number out of range")
    return number


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")
