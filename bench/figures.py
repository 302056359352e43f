"""Figures, and the table that they are printed in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

HEADINGS = ("what", "where", "median", "rounds", "limit in this run", "ratio", "promise")
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
NO_PROMISES: Mapping[str, str] = {}


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


def percentiles(
    what: str,
    where: str,
    unit: str,
    rounds: Sequence[Sequence[float]],
    *,
    promises: Mapping[str, str] = NO_PROMISES,
) -> list[Figure]:
    """Return p50, p95 and p99 of what was measured in each round, as a figure each."""
    return [
        Figure(
            what=f"{what}, {name}",
            where=where,
            unit=unit,
            rounds=[quantile(values, share) for values in rounds],
            promise=promises.get(name, ""),
        )
        for name, share in SHARES.items()
    ]


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
