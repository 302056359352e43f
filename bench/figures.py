"""Figures, and the table that they are printed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

HEADINGS = ("what", "where", "median", "rounds", "limit in this run", "ratio", "promise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured quantity: the value of each round, and what it is held against."""

    what: str
    unit: str
    rounds: Sequence[float]
    where: str = ""
    limit: str = ""  # what was measured beside it, in words
    limit_rounds: Sequence[float] = ()
    promise: str = ""

    @property
    def value(self) -> float:
        return median(self.rounds)

    @property
    def ratio(self) -> float | None:
        """The value as a part of its limit, which was measured in the same rounds."""
        if not self.limit_rounds:
            return None
        return median(a / b for a, b in zip(self.rounds, self.limit_rounds, strict=True))

    def cells(self) -> tuple[str, ...]:
        limit = f"{self.limit} {_short(median(self.limit_rounds))}" if self.limit_rounds else ""
        return (
            self.what,
            self.where,
            f"{_short(self.value)} {self.unit}",
            " ".join(map(_short, self.rounds)),
            limit,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            self.promise,
        )


def table(figures: Iterable[Figure]) -> str:
    """Lay figures out in columns."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of all values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
