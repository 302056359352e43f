"""Rates, and how far they can be trusted."""

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A part of a whole. Both are counts; a rate of nothing is None."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> float | None:
        """Return it as a percentage with two decimals."""
        if not self.denominator:
            return None
        return round(100 * self.numerator / self.denominator, 2)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the 95 % interval after Wilson, in percent with four decimals."""
        if not self.denominator:
            return None
        n = self.denominator
        p = min(self.numerator / n, 1.0)
        spread = Z_95 * sqrt(p * (1 - p) / n + Z_95**2 / (4 * n * n))
        middle = p + Z_95**2 / (2 * n)
        scale = 100 / (1 + Z_95**2 / n)
        low, high = (middle - spread) * scale, (middle + spread) * scale
        return round(max(low, 0.0), 4), round(min(high, 100.0), 4)
