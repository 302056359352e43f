"""Where a function crosses zero.

``scipy.optimize`` would do it as well, and take half a second and 25 MB of every start.
"""

from collections.abc import Callable
from math import sqrt


def rising_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that rises from below zero to above it is zero.

    Ridders' method (1979): bisection bent by an exponential, so that a few steps are enough and
    the root never leaves the bracket. ``low`` and ``high`` enclose it.
    """
    at_low, at_high = function(low), function(high)
    guess = low
    for _ in range(60):
        middle = (low + high) / 2
        at_middle = function(middle)
        bend = sqrt(at_middle * at_middle - at_low * at_high)
        if bend == 0:
            return middle
        before, guess = guess, middle - (middle - low) * at_middle / bend
        at_guess = function(guess)
        if at_guess == 0 or abs(guess - before) <= 1e-13 * max(1.0, abs(guess)):
            return guess
        for point, value in ((middle, at_middle), (guess, at_guess)):
            if value < 0 and point > low:
                low, at_low = point, value
            elif value > 0 and point < high:
                high, at_high = point, value
    return guess


def enclosed(
    function: Callable[[float], float], around: float, reach: float
) -> tuple[float, float]:
    """Return two points between which a rising function crosses zero, the search growing."""
    low, high, step = around - reach, around + reach, reach
    while function(low) > 0:
        step *= 2
        low -= step
    while function(high) < 0:
        step *= 2
        high += step
    return low, high
