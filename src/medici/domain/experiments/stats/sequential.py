"""A test that may be looked at as often as one likes, without a planned end."""

from functools import lru_cache
from math import exp, log, log1p, sqrt

from medici.domain.experiments.stats.values import AlwaysValid

UNKNOWN = AlwaysValid(p_value=None, interval=None)


def sequential(
    diff: float | None, se: float | None, n_total: int, alpha: float, tuning_n: int
) -> AlwaysValid:
    """Judge a difference so that the verdict holds at every look (Waudby-Smith et al., 2021).

    The asymptotic confidence sequence of a normal mixture. Over an endless run without any effect
    the p-value ever falls below ``alpha`` in at most that part of all experiments.

    Args:
        diff: challenger minus control; ``se`` is its standard error, not pooled. Without one of
            them, or with a standard error of zero, nothing is told.
        n_total: users of both arms.
        alpha: not adjusted for several challengers; it shapes the mixture and the interval.
        tuning_n: the number of users at which the interval is narrowest.
    """
    if diff is None or not se or n_total == 0:
        return UNKNOWN
    r = n_total * _density(alpha, tuning_n)
    z = diff / se
    exponent = log1p(r) / 2 - z * z * r / (2 * (r + 1))
    width = se * sqrt(2 * (r + 1) / r * (log1p(r) / 2 - log(alpha)))
    return AlwaysValid(p_value=exp(min(0.0, exponent)), interval=(diff - width, diff + width))


@lru_cache(maxsize=256)
def _density(alpha: float, tuning_n: int) -> float:
    """Return rho squared, the mixture's variance for each user."""
    surprise = -2 * log(alpha)
    return (surprise + log1p(surprise)) / tuning_n
