"""Several challengers, one promise."""

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values that keep the chance of any false verdict at alpha (Holm, 1979).

    In the same order. A challenger without one has none afterwards, and does not count.
    """
    told = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    worst = 0.0
    for rank, (p, place) in enumerate(told):
        worst = max(worst, min(1.0, (len(told) - rank) * p))
        adjusted[place] = worst
    return adjusted
