"""A challenger against control by the test that fits the metric. Pure."""

from math import sqrt

from medici.domain.experiments.analysis.sums import Sums
from medici.domain.experiments.metrics.keys import Metric, MetricKind
from medici.domain.experiments.stats.means import ratio_delta, variance_of, welch
from medici.domain.experiments.stats.proportions import two_proportion
from medici.domain.experiments.stats.sizing import required_sample, required_sample_mean
from medici.domain.experiments.stats.values import Comparison, Method, RatioSample, Sample

POWER = 0.8


def value_of(metric: Metric, sums: Sums) -> float | None:
    """Return what the metric comes to; None of nobody, and of what is not added up."""
    if metric.kind is MetricKind.DESCRIPTIVE:
        return None
    whole = sums.den if metric.kind is MetricKind.RATIO else sums.n
    return sums.num / whole if whole else None


def compare(metric: Metric, control: Sums, challenger: Sums, alpha: float) -> Comparison:
    """Compare two variants; what is only described is not compared."""
    match metric.kind:
        case MetricKind.PROPORTION:
            return two_proportion(
                round(control.num), control.n, round(challenger.num), challenger.n, alpha
            )
        case MetricKind.MEAN:
            return welch(_sample(control), _sample(challenger), alpha)
        case MetricKind.RATIO:
            return ratio_delta(_ratio_sample(control), _ratio_sample(challenger), alpha)
        case MetricKind.DESCRIPTIVE:
            return Comparison(p_value=None, method=Method.NOT_ESTIMABLE)


def users_needed(metric: Metric, control: Sums, mde: float, alpha: float) -> int | None:
    """Return how many users a variant needs to show a relative effect ``mde``, as control goes.

    None as long as control has not had any outcome.
    """
    value = value_of(metric, control)
    if not value or control.n < 2:
        return None
    deviation = deviation_of(metric, control)
    if deviation is None:
        return required_sample(value, mde, POWER, alpha)
    return required_sample_mean(value, deviation, mde, POWER, alpha)


def deviation_of(metric: Metric, sums: Sums) -> float | None:
    """Return the standard deviation between at least two users, of a ratio that of its linear
    form; None of proportions, whose value says it.
    """
    if metric.kind is MetricKind.PROPORTION:
        return None
    if metric.kind is MetricKind.MEAN:
        return sqrt(variance_of(sums.n, sums.num, sums.num_sq))
    ratio, average = sums.num / sums.den, sums.den / sums.n
    squares = sums.num_sq - 2 * ratio * sums.cross + ratio**2 * sums.den_sq
    return sqrt(max(squares, 0.0) / (sums.n - 1)) / average


def _sample(sums: Sums) -> Sample:
    return Sample(n=sums.n, total=sums.num, squares=sums.num_sq)


def _ratio_sample(sums: Sums) -> RatioSample:
    return RatioSample(
        n=sums.n,
        num=sums.num,
        num_sq=sums.num_sq,
        den=sums.den,
        den_sq=sums.den_sq,
        cross=sums.cross,
    )
