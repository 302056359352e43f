"""How likely it is, on the data alone, that the challenger is better. To be shown, not acted on."""

from collections.abc import Iterator
from math import exp, expm1, log1p, sqrt

from scipy.special import betainc

Beta = tuple[int, int]

STEPS_PER_DEVIATION = 4
NEGLIGIBLE = -45.0  # the logarithm of a weight beside the largest


def chance_to_win(x0: int, n0: int, x1: int, n1: int) -> float:
    """Return the chance that the challenger's proportion is the larger, after the data.

    Each begins as Beta(1, 1): anything is as likely. Peeking is not accounted for, so that with
    enough looks this is above 0.95 by chance alone; nothing may decide by it.
    """
    control, challenger = (1 + x0, 1 + n0 - x0), (1 + x1, 1 + n1 - x1)
    if _deviation(challenger) <= _deviation(control):
        return _chance_above(challenger, control)
    return 1 - _chance_above(control, challenger)


def _deviation(beta: Beta) -> float:
    """Return about how wide it is on the scale of log odds."""
    return sqrt(1 / beta[0] + 1 / beta[1])


def _chance_above(narrow: Beta, wide: Beta) -> float:
    """Return how likely the narrower of two is the larger.

    A sum over even steps of log odds, where the trapezoidal rule converges exponentially. The steps
    fit the narrower one; on its scale the other is smooth.
    """
    points = list(_spread(narrow))
    below = sum(weight * float(betainc(*wide, p)) for p, weight in points)
    return min(below / sum(weight for _, weight in points), 1.0)


def _spread(beta: Beta) -> Iterator[tuple[float, float]]:
    """Give proportions around the likeliest, with their weights beside its own."""
    a, b = beta
    middle = a / (a + b)
    step = _deviation(beta) / STEPS_PER_DEVIATION
    yield middle, 1.0
    for direction in (step, -step):
        moved = direction
        while (weight := a * moved - (a + b) * log1p(middle * expm1(moved))) > NEGLIGIBLE:
            yield 1 / (1 + b / a * exp(-moved)), exp(weight)
            moved += direction
