"""What statistics take and give: sums of one arm, and what comparing two of them told."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

Interval = tuple[float, float]


class Method(StrEnum):
    """How a p-value came about."""

    POOLED_Z = "two_proportion_z_pooled"
    FISHER = "fisher_exact"
    WELCH = "welch_t"
    RATIO = "ratio_delta"
    NOT_ESTIMABLE = "not_estimable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A challenger against control, at one look. All are fractions; None is what cannot be told.

    ``diff`` is challenger minus control and ``lift`` that difference as a part of control. ``se``
    is the standard error of ``diff`` without assuming that there is none, for repeated looks.
    """

    p_value: float | None
    method: Method
    diff: float | None = None
    diff_ci: Interval | None = None
    lift: float | None = None
    lift_ci: Interval | None = None
    se: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlwaysValid:
    """What holds at every look at once. ``interval`` is for the difference."""

    p_value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One arm of a mean: users, the sum of their values and of the squares of these."""

    n: int
    total: float
    squares: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioSample:
    """One arm of a ratio: users, and sums over them. A user with nothing counts as (0, 0).

    ``cross`` sums each user's numerator times denominator.
    """

    n: int
    num: float
    num_sq: float
    den: float
    den_sq: float
    cross: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CupedSample:
    """One arm with a past: the metric after exposure (``post``) and before it (``pre``).

    ``cross`` sums each user's one times the other.
    """

    n: int
    post: float
    post_sq: float
    pre: float
    pre_sq: float
    cross: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Whether users were split by the weights. ``expected`` is in the order of what was observed.

    ``p_value`` is for one look, ``sequential_p_value`` for as many as one likes.
    """

    p_value: float
    sequential_p_value: float
    detected: bool
    expected: Sequence[float]
