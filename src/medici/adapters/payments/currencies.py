"""What stores charge, as whole minor units of a currency."""

from fractions import Fraction

# ISO 4217 by the places of the minor unit, where these are not two.
WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
EXPONENTS = {**dict.fromkeys(WHOLE.split(), 0), **dict.fromkeys(THOUSANDTHS.split(), 3)}


def exponent_of(currency: str) -> int:
    """Return how many decimal places the minor unit of a currency has: 0, 2 or 3."""
    return EXPONENTS.get(currency.upper(), 2)


def minor_units(amount: Fraction, currency: str) -> int:
    """Turn an amount in currency units, such as 10.99, into minor units, rounded half-up."""
    return half_up(amount * 10 ** exponent_of(currency))


def half_up(exact: Fraction) -> int:
    """Round to the nearest integer, a half away from zero."""
    rounded = int(abs(exact) + Fraction(1, 2))
    return rounded if exact >= 0 else -rounded
