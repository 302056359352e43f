"""What a metric came to, and how far that can be trusted. Pure."""

from dataclasses import dataclass
from math import sqrt

from medici.domain.experiments.analysis.sums import Sums
from medici.domain.experiments.metrics.keys import Metric, MetricKind, Unit

Z_95 = 1.6448536269514722  # 95 % of a normal distribution lie below
PERCENT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value, of how many observations, and its one-sided 95 % bounds."""

    actual: float
    observations: float
    low: float
    high: float

    def scaled(self, factor: float) -> "Value":
        return Value(
            actual=self.actual * factor,
            observations=self.observations,
            low=self.low * factor,
            high=self.high * factor,
        )


def exact(actual: float) -> Value:
    """Return a value that was counted, not estimated."""
    return Value(actual=actual, observations=actual, low=actual, high=actual)


def value_of(metric: Metric, sums: Sums) -> Value | None:
    """Return what a metric came to, rates in percent; None where there is nothing to tell."""
    if metric.kind is MetricKind.PROPORTION:
        return None if not sums.n else _rate(sums.num, sums.n).scaled(PERCENT)
    if metric.kind is MetricKind.MEAN:
        return None if not sums.n else _mean(sums)
    if not sums.den:
        return None
    return _share(sums).scaled(PERCENT) if metric.unit is Unit.SHARE else _ratio(sums)


def count_of(sums: Sums) -> Value:
    """Return how many users make a proportion up. None of nobody is a number, too."""
    if not sums.n:
        return exact(0.0)
    return _rate(sums.num, sums.n).scaled(sums.n)


def _rate(part: float, whole: float, trusted: float | None = None) -> Value:
    """Return a rate with bounds after Wilson, as if it were of ``trusted`` observations."""
    n = whole if trusted is None else trusted
    p = min(part / whole, 1.0)
    middle = p + Z_95**2 / (2 * n)
    spread = Z_95 * sqrt(p * (1 - p) / n + Z_95**2 / (4 * n * n))
    scale = 1 + Z_95**2 / n
    return Value(
        actual=part / whole,
        observations=whole,
        low=max((middle - spread) / scale, 0.0),
        high=min((middle + spread) / scale, 1.0),
    )


def _share(sums: Sums) -> Value:
    """Return a rate of events; users differ, so many events of few users tell less."""
    p = sums.num / sums.den
    of_independent = p * (1 - p) / sums.den
    clustering = max(_variance(sums) / of_independent, 1.0) if of_independent > 0 else 1.0
    return _rate(sums.num, sums.den, sums.den / clustering)


def _ratio(sums: Sums) -> Value:
    return _normal(sums.num / sums.den, sums.den, _variance(sums))


def _mean(sums: Sums) -> Value:
    as_ratio = Sums(
        n=sums.n, num=sums.num, num_sq=sums.num_sq, den=sums.n, den_sq=sums.n, cross=sums.num
    )
    return _normal(sums.num / sums.n, sums.n, _variance(as_ratio))


def _normal(actual: float, observations: float, variance: float) -> Value:
    spread = Z_95 * sqrt(variance)
    return Value(
        actual=actual, observations=observations, low=actual - spread, high=actual + spread
    )


def _variance(sums: Sums) -> float:
    """Return the variance of a ratio of sums over users, by the delta method."""
    if sums.n < 2:
        return 0.0
    ratio = sums.num / sums.den
    residuals = sums.num_sq - 2 * ratio * sums.cross + ratio * ratio * sums.den_sq
    return max(residuals, 0.0) * sums.n / (sums.n - 1) / (sums.den * sums.den)
