"""The shapes in which figures are told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from medici.domain.analytics.histogram import quantile, quantile_of_bins
from medici.domain.analytics.rates import Rate

MICROS = 1_000_000
USD = "usd"


class Method(StrEnum):
    """How percentiles were found."""

    EXACT = "exact"
    HISTOGRAM = "histogram"  # to 1/64 of the value


@dataclass(frozen=True, slots=True, kw_only=True)
class RateFigure:
    """A percentage with what it was counted from and its 95 % interval; None of nothing."""

    numerator: int
    denominator: int
    percent: float | None
    ci: tuple[float, float] | None

    @classmethod
    def of(cls, numerator: int, denominator: int) -> "RateFigure":
        rate = Rate(numerator=numerator, denominator=denominator)
        return cls(
            numerator=numerator,
            denominator=denominator,
            percent=rate.percent,
            ci=rate.interval,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyFigure:
    """Milliseconds; None where nothing was timed."""

    count: int
    p50: int | None
    p95: int | None
    p99: int | None
    method: Method

    @classmethod
    def exact(cls, latencies: Iterable[int]) -> "LatencyFigure":
        ordered = sorted(latencies)
        return cls(
            count=len(ordered),
            p50=quantile(ordered, 0.5),
            p95=quantile(ordered, 0.95),
            p99=quantile(ordered, 0.99),
            method=Method.EXACT,
        )

    @classmethod
    def of_bins(cls, bins: Mapping[int, int]) -> "LatencyFigure":
        return cls(
            count=sum(bins.values()),
            p50=quantile_of_bins(bins, 0.5),
            p95=quantile_of_bins(bins, 0.95),
            p99=quantile_of_bins(bins, 0.99),
            method=Method.HISTOGRAM,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyFigure:
    """An amount in currency units, as a plain decimal."""

    currency: str
    amount: str


def money(amounts: Mapping[str, Decimal]) -> Sequence[MoneyFigure]:
    """List amounts by currency, nothing left out but what is zero."""
    return [
        MoneyFigure(currency=currency, amount=plain(amount))
        for currency, amount in sorted(amounts.items())
        if amount
    ]


def usd(micros: int) -> Sequence[MoneyFigure]:
    return money({USD: dollars(micros)})


def dollars(micros: int) -> Decimal:
    return Decimal(micros) / MICROS


def plain(amount: Decimal) -> str:
    """Write an amount without exponent, with at least two decimals."""
    rounded = amount.quantize(Decimal("0.000001")).normalize()
    exponent = rounded.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    return f"{rounded:.{max(places, 2)}f}"
