"""Which of two groups has the larger mean, or the larger ratio of two sums."""

from dataclasses import dataclass
from math import sqrt

from scipy.special import stdtr, stdtrit

from medici.domain.experiments.stats.values import (
    Comparison,
    Interval,
    Method,
    RatioSample,
    Sample,
)

# Sums of squares are right to about this part of themselves; a variance below it is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Estimate:
    """One arm: what was estimated, and the variance of that estimate."""

    users: int
    value: float
    variance: float


def welch(control: Sample, challenger: Sample, alpha: float) -> Comparison:
    """Compare two means, each with a variance of its own (Welch's t, two-sided).

    No p-value with fewer than two users in an arm, or where nothing varies. No lift where
    control's mean is not positive: a part of nothing, or of a loss, says nothing.
    """
    return _compared(_mean(control), _mean(challenger), alpha, Method.WELCH)


def ratio_delta(control: RatioSample, challenger: RatioSample, alpha: float) -> Comparison:
    """Compare two ratios of sums over users, by the delta method (Deng et al., 2018).

    The user is the unit, however many events each has. Otherwise as ``welch``; an arm without a
    denominator cannot be compared.
    """
    return _compared(_ratio(control), _ratio(challenger), alpha, Method.RATIO)


def variance_of(n: int, total: float, squares: float) -> float:
    """Return the sample variance, of ``n`` >= 2 values."""
    spread = squares - total * total / n
    return spread / (n - 1) if spread > ROUNDING * squares else 0.0


def _mean(sample: Sample) -> _Estimate | None:
    if sample.n == 0:
        return None
    variance = variance_of(sample.n, sample.total, sample.squares) if sample.n > 1 else 0.0
    return _Estimate(users=sample.n, value=sample.total / sample.n, variance=variance / sample.n)


def _ratio(sample: RatioSample) -> _Estimate | None:
    """Return the ratio with the variance of its first-order approximation.

    That is the variance of (numerator - ratio * denominator), whose sum is zero, over the users
    and the squared mean of the denominators.
    """
    if sample.n == 0 or sample.den == 0:
        return None
    ratio = sample.num / sample.den
    plus = sample.num_sq + ratio * ratio * sample.den_sq
    spread = plus - 2 * ratio * sample.cross
    if sample.n == 1 or spread <= ROUNDING * plus:
        return _Estimate(users=sample.n, value=ratio, variance=0.0)
    of_users = spread / (sample.n - 1) / (sample.den / sample.n) ** 2
    return _Estimate(users=sample.n, value=ratio, variance=of_users / sample.n)


def _compared(
    control: _Estimate | None, challenger: _Estimate | None, alpha: float, method: Method
) -> Comparison:
    if control is None or challenger is None:
        return Comparison(p_value=None, method=Method.NOT_ESTIMABLE)
    diff = challenger.value - control.value
    lift = diff / control.value if control.value > 0 else None
    se = sqrt(control.variance + challenger.variance)
    if min(control.users, challenger.users) < 2 or se == 0:
        return Comparison(p_value=None, method=Method.NOT_ESTIMABLE, diff=diff, lift=lift)
    degrees = _degrees(control, challenger)
    t = -float(stdtrit(degrees, alpha / 2))
    return Comparison(
        p_value=min(1.0, 2 * float(stdtr(degrees, -abs(diff) / se))),
        method=method,
        diff=diff,
        diff_ci=(diff - t * se, diff + t * se),
        lift=lift,
        lift_ci=None if lift is None else _lift_interval(control, challenger, lift, t),
        se=se,
    )


def _degrees(control: _Estimate, challenger: _Estimate) -> float:
    """Return the degrees of freedom (Welch-Satterthwaite); from shares, so nothing underflows."""
    share = control.variance / (control.variance + challenger.variance)
    return 1 / (share**2 / (control.users - 1) + (1 - share) ** 2 / (challenger.users - 1))


def _lift_interval(control: _Estimate, challenger: _Estimate, lift: float, t: float) -> Interval:
    """Return where the lift lies, to first order: control's share of the error grows with it."""
    ratio = challenger.value / control.value
    se = sqrt(challenger.variance + control.variance * ratio * ratio) / control.value
    return lift - t * se, lift + t * se
