"""How figures are written: shares as percentages, everything rounded as people read it."""

from medici.domain.experiments.metrics.keys import Unit
from medici.domain.experiments.stats.values import Interval

PERCENT = 100
VALUE_DIGITS = {Unit.SHARE: 2, Unit.USD: 6, Unit.MILLISECONDS: 2, Unit.COUNT: 4}
DIFFERENCE_DIGITS = {Unit.SHARE: 4, Unit.USD: 6, Unit.MILLISECONDS: 4, Unit.COUNT: 4}


def value_shown(value: float | None, unit: Unit) -> float | None:
    return None if value is None else round(value * _scale(unit), VALUE_DIGITS[unit])


def difference_shown(value: float | None, unit: Unit) -> float | None:
    return None if value is None else round(value * _scale(unit), DIFFERENCE_DIGITS[unit])


def interval_shown(interval: Interval | None, unit: Unit) -> tuple[float, float] | None:
    """Write an interval of a difference."""
    if interval is None:
        return None
    low, high = (round(end * _scale(unit), DIFFERENCE_DIGITS[unit]) for end in interval)
    return low, high


def percent(part: float, whole: float, digits: int = 2) -> float:
    """Return a percentage; of nothing it is zero."""
    return round(PERCENT * part / whole, digits) if whole else 0.0


def average(total: float, count: int, digits: int) -> float | None:
    return round(total / count, digits) if count else None


def _scale(unit: Unit) -> int:
    return PERCENT if unit is Unit.SHARE else 1
