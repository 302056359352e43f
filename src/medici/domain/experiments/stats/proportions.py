"""Which of two groups has the larger part that did it."""

from math import erfc, sqrt

from scipy.special import ndtri

from medici.domain.experiments.stats.fisher import fisher_exact
from medici.domain.experiments.stats.intervals import koopman, newcombe
from medici.domain.experiments.stats.values import Comparison, Method

# Below this many expected in some cell the normal curve is a poor guide (Cochran, 1954).
FEW_EXPECTED = 5


def two_proportion(x0: int, n0: int, x1: int, n1: int, alpha: float) -> Comparison:
    """Compare ``x0`` of ``n0`` users in control with ``x1`` of ``n1`` in a challenger.

    Two-sided; pooled z, or Fisher's exact test where a cell is expected below 5. Without users in
    an arm, and where everybody or nobody did it, there is no p-value. Without successes in control
    there is no lift.
    """
    if n0 == 0 or n1 == 0:
        return Comparison(p_value=None, method=Method.NOT_ESTIMABLE)
    z = -float(ndtri(alpha / 2))
    p_value, method = _tested(x0, n0, x1, n1)
    low, high = koopman(x0, n0, x1, n1, z) if x0 else (0.0, 0.0)
    return Comparison(
        p_value=p_value,
        method=method,
        diff=_difference(x0, n0, x1, n1),
        diff_ci=newcombe(x0, n0, x1, n1, z),
        lift=(x1 * n0 - x0 * n1) / (x0 * n1) if x0 else None,
        lift_ci=(low - 1, high - 1) if x0 else None,
        se=_unpooled(x0, n0, x1, n1),
    )


def _tested(x0: int, n0: int, x1: int, n1: int) -> tuple[float | None, Method]:
    successes, users = x0 + x1, n0 + n1
    rarer = min(successes, users - successes)
    if rarer == 0:
        return None, Method.NOT_ESTIMABLE
    if min(n0, n1) * rarer < FEW_EXPECTED * users:
        return fisher_exact(x0, n0, x1, n1), Method.FISHER
    z = _difference(x0, n0, x1, n1) / _pooled(x0, n0, x1, n1)
    return erfc(abs(z) / sqrt(2)), Method.POOLED_Z


def _difference(x0: int, n0: int, x1: int, n1: int) -> float:
    """Return it from whole numbers, so that almost equal parts do not cancel out."""
    return (x1 * n0 - x0 * n1) / (n0 * n1)


def _pooled(x0: int, n0: int, x1: int, n1: int) -> float:
    successes, users = x0 + x1, n0 + n1
    return sqrt(successes * (users - successes) / (users * n0 * n1))


def _unpooled(x0: int, n0: int, x1: int, n1: int) -> float:
    """Return the standard error of the difference.

    Nobody here and everybody there would make it zero, and any p-value with it; pooled it is not.
    """
    variance = x0 * (n0 - x0) / n0**3 + x1 * (n1 - x1) / n1**3
    return sqrt(variance) if variance else _pooled(x0, n0, x1, n1)
