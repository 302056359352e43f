"""Variables as their readers see them: typed, bounded, never absent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from medici.domain.plans.models import Scalar

T = TypeVar("T", bound=Scalar)

LARGEST = 2**53  # past it, readers of JSON disagree about the digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunable(Generic[T]):
    """A variable that some code reads. Its type is the default's; bounds are inclusive."""

    key: str
    default: T
    description: str
    minimum: float = -LARGEST
    maximum: float = LARGEST
    choices: frozenset[T] | None = None

    def read(self, stored: object) -> T:
        """Return the stored value, or the default where that makes no sense."""
        if not self._in_bounds(stored):
            return self.default
        value = _convert(type(self.default), stored)
        if value is None or (self.choices is not None and value not in self.choices):
            return self.default
        return value

    def _in_bounds(self, stored: object) -> bool:
        # Compared before it is converted: a whole number of any length may be stored.
        return not isinstance(stored, int | float) or self.minimum <= stored <= self.maximum


def _convert(kind: type[T], stored: object) -> T | None:
    """Read a value as ``kind``. JSON has one kind of number: 7.0 is whole, 1 is a fraction too."""
    converted = stored
    if kind is float and type(stored) is int:
        converted = float(stored)
    elif kind is int and isinstance(stored, float) and stored.is_integer():
        converted = int(stored)
    return converted if type(converted) is kind else None


@dataclass(frozen=True, slots=True)
class Variables:
    """Every variable as it was stored at one moment; ``variables[TUNABLE]`` reads one."""

    stored: Mapping[str, Scalar] = field(default_factory=dict)

    def __getitem__(self, tunable: Tunable[T]) -> T:
        return tunable.read(self.stored.get(tunable.key))


DAILY_CREDIT_LIMIT_ENABLED = Tunable(
    key="daily_credit_limit_enabled",
    default=True,
    description="Whether renders cost credits.",
)
PREVIEW_BEFORE_FINAL_REQUIRED = Tunable(
    key="preview_before_final_required",
    default=True,
    description="Whether a final needs a completed preview of the same project and style.",
)
MAX_JOBS_IN_FLIGHT_PER_USER = Tunable(
    key="max_jobs_in_flight_per_user",
    default=10,
    minimum=1,
    maximum=10_000,
    description="How many unfinished renders one user may have at once.",
)
