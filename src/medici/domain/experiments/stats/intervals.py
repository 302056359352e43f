"""Score intervals: they stay inside what is possible, and tell something of zero successes too."""

from math import exp, log, sqrt

from medici.domain.experiments.stats.roots import enclosed, rising_root
from medici.domain.experiments.stats.values import Interval


def wilson(x: int, n: int, z: float) -> Interval:
    """Return where a proportion lies (Wilson, 1927, without continuity correction)."""
    middle = x + z * z / 2
    spread = z * sqrt(x * (n - x) / n + z * z / 4)
    low, high = (middle - spread) / (n + z * z), (middle + spread) / (n + z * z)
    return 0.0 if x == 0 else max(low, 0.0), 1.0 if x == n else min(high, 1.0)


def newcombe(x0: int, n0: int, x1: int, n1: int, z: float) -> Interval:
    """Return where the second proportion minus the first lies.

    The hybrid of both Wilson intervals (Newcombe, 1998, method 10).
    """
    p0, p1 = x0 / n0, x1 / n1
    (low0, high0), (low1, high1) = wilson(x0, n0, z), wilson(x1, n1, z)
    diff = p1 - p0
    low = diff - sqrt((p1 - low1) ** 2 + (high0 - p0) ** 2)
    high = diff + sqrt((high1 - p1) ** 2 + (p0 - low0) ** 2)
    return max(low, -1.0), min(high, 1.0)


def koopman(x0: int, n0: int, x1: int, n1: int, z: float) -> Interval:
    """Return where the second proportion divided by the first lies, ``x0`` being positive.

    The ratios that a score test would not reject (Koopman, 1984). At a ratio of 1 that test is the
    pooled z, so the interval leaves out 1 exactly when the pooled z rejects.
    """
    centre = log((x1 + 0.5) / (n1 + 0.5)) - log((x0 + 0.5) / (n0 + 0.5))
    reach = z * sqrt(1 / (x0 + 0.5) + 1 / (x1 + 0.5))

    def limit(target: float) -> float:
        def score(log_ratio: float) -> float:
            return _score(exp(log_ratio), x0, n0, x1, n1) - target

        return exp(rising_root(score, *enclosed(score, centre, reach)))

    return limit(-z) if x1 else 0.0, limit(z)


def _score(ratio: float, x0: int, n0: int, x1: int, n1: int) -> float:
    """Return how many standard errors the data lie below a ratio, were that the true one.

    The likeliest proportions under the ratio solve a p² - b p + c = 0, p being control's. Written
    like this, nothing cancels out near 0 or 1.
    """
    b = ratio * (n1 + x0) + x1 + n0
    root = sqrt((ratio * (n1 + x0) - (x1 + n0)) ** 2 + 4 * ratio * (n0 - x0) * (n1 - x1))
    p0 = min(2 * (x0 + x1) / (b + root), 1.0)
    p1 = min(ratio * p0, 1.0)
    variance = p1 * (1 - p1) / n1 + ratio * ratio * p0 * (1 - p0) / n0
    below = ratio * x0 / n0 - x1 / n1
    return below / sqrt(variance) if variance else 0.0
