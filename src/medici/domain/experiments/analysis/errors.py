"""Questions about experiments that cannot be answered."""

from enum import StrEnum

from medici.kernel.errors import Kind, MediciError


class TooManyBuckets(MediciError):
    """A trend would have more points than one answer may hold."""

    kind = Kind.INVALID
    code = "too_many_buckets"


class Unfit(StrEnum):
    """Why no sample size can be told."""

    NO_BASELINE = "baseline_or_experiment_required"
    BASELINE_RANGE = "baseline_out_of_range"
    NOT_MEASURED = "baseline_not_measured_yet"
    NOT_TESTED = "metric_is_not_tested"
    OUT_OF_REACH = "effect_out_of_reach"


class UnfitSize(MediciError):
    """The question for a sample size makes no sense; the message says what is wrong with it."""

    kind = Kind.INVALID

    def __init__(self, code: Unfit, message: str) -> None:
        super().__init__(message)
        self.code = code
