"""Fisher's exact test, two-sided."""

from collections.abc import Callable, Iterator
from math import fsum

# Tables of the same chance come out different by rounding; both count.
SAME = 1 + 1e-12


def fisher_exact(x0: int, n0: int, x1: int, n1: int) -> float:
    """Return the chance, all margins given, of a table no likelier than this one.

    Only tables are looked at whose chance a float can hold. Where a cell is expected below 5, they
    are a few hundred at most, however many users there are.
    """
    chances = _chances(x0 + x1, n0, n0 + n1)
    limit = chances.get(x0, 0.0) * SAME
    return min(
        1.0, fsum(each for each in chances.values() if each <= limit) / fsum(chances.values())
    )


def _chances(marked: int, drawn: int, total: int) -> dict[int, float]:
    """Return how likely each number of marked ones among the drawn is, the likeliest being 1."""
    mode = (marked + 1) * (drawn + 1) // (total + 2)
    rest = total - marked - drawn

    def upwards(k: int) -> float:
        return (marked - k) * (drawn - k) / ((k + 1) * (rest + k + 1))

    def downwards(k: int) -> float:
        return k * (rest + k) / ((marked - k + 1) * (drawn - k + 1))

    return {mode: 1.0, **dict(_walk(mode, 1, upwards)), **dict(_walk(mode, -1, downwards))}


def _walk(start: int, step: int, ratio: Callable[[int], float]) -> Iterator[tuple[int, float]]:
    """Give one number after the other with its chance, until there is none."""
    number, chance = start, 1.0
    while chance := chance * ratio(number):
        number += step
        yield number, chance
