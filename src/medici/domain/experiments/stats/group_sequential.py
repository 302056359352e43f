"""A test that may be looked at as often as one likes until a planned number of users.

By the information gathered, t = users / planned users, z * sqrt(t) moves like Brownian motion B(t).
O'Brien and Fleming's boundary is one level for it: spending alpha by Lan and DeMets, with a look
at every moment, rejects when B leaves (-b, b) at all before t = 1. The chance of that is known in
closed form, so no look has to be remembered, and looks may come at any time.
"""

from functools import lru_cache
from math import exp, pi, sqrt

from scipy.special import ndtr

from medici.domain.experiments.stats.roots import rising_root
from medici.domain.experiments.stats.sequential import UNKNOWN
from medici.domain.experiments.stats.values import AlwaysValid

# Of each series' terms, by odd numbers; the next would be below the precision of a float.
SIGNS = ((1, 1), (3, -1), (5, 1), (7, -1), (9, 1))


def group_sequential(
    diff: float | None, se: float | None, n_total: int, planned: int, alpha: float
) -> AlwaysValid:
    """Judge a difference so that the verdict holds at every look up to the planned users.

    ``n_total`` and ``planned`` count users of both arms. Beyond the plan t stays 1: one late look
    costs little, looking on and on does not stay below ``alpha``; whoever calls says so.
    """
    if diff is None or not se or n_total == 0:
        return UNKNOWN
    time = min(1.0, n_total / planned)
    width = se * boundary(alpha) / sqrt(time)
    level = abs(diff) / se * sqrt(time)
    return AlwaysValid(p_value=crossing(level), interval=(diff - width, diff + width))


def crossing(level: float) -> float:
    """Return the chance that Brownian motion gets as far as ±``level`` before time 1.

    Two series for the same: by modes it ends quickly for low levels, by reflections for high ones.
    """
    if level == 0:
        return 1.0
    if level < 1:
        decay = (pi / level) * (pi / level) / 8
        return 1 - 4 / pi * sum(sign / odd * exp(-odd * odd * decay) for odd, sign in SIGNS)
    return 4 * sum(sign * float(ndtr(-odd * level)) for odd, sign in SIGNS)


@lru_cache(maxsize=256)
def boundary(alpha: float) -> float:
    """Return the level that is reached by chance in ``alpha`` of all experiments."""
    return rising_root(lambda level: alpha - crossing(level), 0.0, 40.0)
