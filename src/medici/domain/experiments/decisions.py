"""What the figures of an experiment lead to: the words between analysis and ladder."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class RecommendationCode(StrEnum):
    """In the order in which they are tried; the first that applies holds."""

    INSUFFICIENT_SAMPLE = "insufficient_sample"
    MIN_RUNTIME_NOT_REACHED = "min_runtime_not_reached"
    SRM_DETECTED = "srm_detected"
    CONTROL_IS_WINNER = "control_is_winner"
    WINNER = "winner"
    NO_SIGNIFICANT_DIFFERENCE = "no_significant_difference"


class Standing(StrEnum):
    """How a challenger stands against control by the p-value that decides."""

    BETTER = "better"  # significantly, in the metric's good direction
    WORSE = "worse"  # significantly, in the other
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to do. ``variant_id`` is set where somebody won; ``reason`` is for people.

    ``required_sample_per_variant`` is set where there are too few users, and can be reckoned.
    """

    code: RecommendationCode
    variant_id: str | None
    reason: str
    required_sample_per_variant: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The outcome of the whole phase so far; no window of time narrows it.

    ``standings`` has each challenger; ``users`` counts those compared, of all variants.
    """

    recommendation: Recommendation
    standings: Mapping[str, Standing]
    users: int
    srm_detected: bool

    def is_worse(self, variant_id: str) -> bool:
        """Tell whether a variant is significantly worse than control."""
        return self.standings.get(variant_id) is Standing.WORSE
