"""Variables as their readers see them: typed, bounded, never absent."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from medici.domain.plans.errors import VariableOfWrongType, VariableRefused
from medici.domain.plans.models import Scalar

T = TypeVar("T", bound=Scalar)

LARGEST = 2**53  # past it, readers of JSON disagree about the digits
TYPES: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunable(Generic[T]):
    """A variable that some code reads. Its type is the default's; bounds are inclusive."""

    key: str
    default: T
    description: str
    minimum: float = -LARGEST
    maximum: float = LARGEST
    choices: frozenset[T] | None = None

    @property
    def type(self) -> str:
        """Return what JSON calls the type of its values."""
        return TYPES[type(self.default)]

    @property
    def terms(self) -> dict[str, object]:
        """Return its type with the bounds or choices that hold for its values."""
        terms: dict[str, object] = {"type": self.type}
        if self.choices is not None:
            terms["choices"] = sorted(self.choices)
        elif self.type in {"integer", "number"}:
            terms |= {"minimum": self.minimum, "maximum": self.maximum}
        return terms

    def read(self, stored: object) -> T:
        """Return the stored value, or the default where that makes no sense."""
        value = self._value(stored)
        return self.default if value is None or not self._allows(value) else value

    def takes(self, stored: object) -> bool:
        """Tell whether a stored value makes sense."""
        value = self._value(stored)
        return value is not None and self._allows(value)

    def accept(self, value: object) -> T:
        """Return a value as it is to be stored.

        Raises:
            VariableOfWrongType: it is of another type.
            VariableRefused: it is out of bounds, or none of the choices.
        """
        converted = self._value(value)
        if converted is None:
            raise VariableOfWrongType(self.key, self.terms)
        if not self._allows(converted):
            raise VariableRefused(self.key, self.terms)
        return converted

    def _value(self, stored: object) -> T | None:
        # Compared before it is converted: a whole number of any length may be stored.
        if isinstance(stored, int) and not -LARGEST <= stored <= LARGEST:
            return None
        return _convert(type(self.default), stored)

    def _allows(self, value: T) -> bool:
        if self.choices is not None:
            return value in self.choices
        return isinstance(value, str) or self.minimum <= value <= self.maximum


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


@dataclass(frozen=True, slots=True)
class Tunables:
    """Every variable that some code reads, by key."""

    by_key: Mapping[str, Tunable[Any]]

    @classmethod
    def of(cls, *groups: Iterable[Tunable[Any]]) -> "Tunables":
        """Put together what each capability reads; two may not read one key differently."""
        by_key: dict[str, Tunable[Any]] = {}
        for tunable in (each for group in groups for each in group):
            if by_key.setdefault(tunable.key, tunable) != tunable:
                raise ValueError(f"two tunables are called {tunable.key}")
        return cls(by_key)

    def __iter__(self) -> Iterator[Tunable[Any]]:
        return iter(self.by_key.values())

    def get(self, key: str) -> Tunable[Any] | None:
        return self.by_key.get(key)

    def in_effect(self, variables: Variables) -> dict[str, Scalar]:
        """Return what each variable counts as now, the stored and the known ones, by key."""
        known = {tunable.key: variables[tunable] for tunable in self}
        return dict(sorted({**variables.stored, **known}.items()))


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
TUNABLES: tuple[Tunable[Any], ...] = (
    DAILY_CREDIT_LIMIT_ENABLED,
    PREVIEW_BEFORE_FINAL_REQUIRED,
    MAX_JOBS_IN_FLIGHT_PER_USER,
)
