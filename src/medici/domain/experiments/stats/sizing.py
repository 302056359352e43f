"""How many users a comparison needs."""

from math import ceil, sqrt

from scipy.special import ndtri


def required_sample(baseline: float, mde: float, power: float, alpha: float) -> int | None:
    """Return the users per variant that show a relative effect ``mde`` on a proportion.

    For one look at the end by the pooled z (Fleiss, 1981, without correction); ``power`` is how
    often a true effect of that size is found. None where there can be no such effect: of nothing,
    of no size, or beyond 100 %.
    """
    p0, p1 = baseline, baseline * (1 + mde)
    if p0 == p1 or not (0 <= p0 <= 1 and 0 <= p1 <= 1):
        return None
    p = (p0 + p1) / 2
    by_chance = _z(1 - alpha / 2) * sqrt(2 * p * (1 - p))
    by_effect = _z(power) * sqrt(p0 * (1 - p0) + p1 * (1 - p1))
    return max(1, ceil(((by_chance + by_effect) / (p1 - p0)) ** 2))


def required_sample_mean(
    mean: float, sd: float, mde: float, power: float, alpha: float
) -> int | None:
    """Return the users per variant that show a relative effect ``mde`` on a mean.

    ``sd`` is the standard deviation between users, in either arm. None where there is no effect.
    """
    effect = mean * mde
    if effect == 0:
        return None
    return max(2, ceil(2 * ((_z(1 - alpha / 2) + _z(power)) * sd / effect) ** 2))


def _z(chance: float) -> float:
    return float(ndtri(chance))
