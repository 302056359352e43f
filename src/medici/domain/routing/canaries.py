"""Decisions about a canary, a version that some users try: who, and whether it does worse. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from medici.domain.routing.drawing import falls_within


class Limits(BaseModel):
    """How much worse than the version in force a canary may do before it is taken back.

    The first three compare the two; they count once both have the minimum sample. The others bound
    the canary alone. Rates are percents of finished renders, costs are US dollars of the provider.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum_sample: int = Field(50, ge=1, le=100_000, description="Finished renders to judge by.")
    error_rate_increase_max: float = Field(
        5, ge=0, le=100, allow_inf_nan=False, description="Percentage points."
    )
    p95_latency_ratio_max: float = Field(1.5, ge=1, le=1000, allow_inf_nan=False)
    average_cost_ratio_max: float = Field(1.5, ge=1, le=1000, allow_inf_nan=False)
    error_rate_max: float | None = Field(25, ge=0, le=100, allow_inf_nan=False)
    p95_latency_ms_max: int | None = Field(None, ge=1)
    average_cost_usd_max: float | None = Field(None, ge=0, allow_inf_nan=False)


class Health(BaseModel):
    """How the renders of one version went; what nothing was measured for is null."""

    model_config = ConfigDict(frozen=True)

    finished: int = 0
    failed: int = 0
    p95_latency_ms: int | None = None
    average_cost_micros: int | None = None

    @property
    def error_rate(self) -> float:
        """Return the share of failures in percent."""
        return 100 * self.failed / self.finished if self.finished else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A limit that a canary broke."""

    limit: str
    allowed: float
    actual: float


def takes_part(version: int, percent: int, user_id: str) -> bool:
    """Tell whether a user's renders take the canary; each canary draws its users anew."""
    return falls_within(percent, str(version), user_id)


def judge(canary: Health, baseline: Health, limits: Limits) -> tuple[Breach, ...]:
    """Return every limit that the canary breaks; none while there is too little to judge by."""
    if canary.finished < limits.minimum_sample:
        return ()
    found = list(_alone(canary, limits))
    if baseline.finished >= limits.minimum_sample:
        found += _compared(canary, baseline, limits)
    return tuple(found)


def _alone(canary: Health, limits: Limits) -> Iterator[Breach]:
    yield from _over("error_rate_max", canary.error_rate, limits.error_rate_max)
    yield from _over("p95_latency_ms_max", canary.p95_latency_ms, limits.p95_latency_ms_max)
    yield from _over("average_cost_usd_max", _usd(canary), limits.average_cost_usd_max)


def _compared(canary: Health, baseline: Health, limits: Limits) -> Iterator[Breach]:
    more_errors = canary.error_rate - baseline.error_rate
    yield from _over("error_rate_increase_max", more_errors, limits.error_rate_increase_max)
    slower = _ratio(canary.p95_latency_ms, baseline.p95_latency_ms)
    yield from _over("p95_latency_ratio_max", slower, limits.p95_latency_ratio_max)
    dearer = _ratio(canary.average_cost_micros, baseline.average_cost_micros)
    yield from _over("average_cost_ratio_max", dearer, limits.average_cost_ratio_max)


def _over(limit: str, actual: float | None, allowed: float | None) -> Iterator[Breach]:
    if actual is not None and allowed is not None and actual > allowed:
        yield Breach(limit=limit, allowed=allowed, actual=round(actual, 4))


def _ratio(canary: int | None, baseline: int | None) -> float | None:
    # Against what is free or instant no ratio says anything; the limits in figures are for that.
    return canary / baseline if canary is not None and baseline else None


def _usd(health: Health) -> float | None:
    if health.average_cost_micros is None:
        return None
    return health.average_cost_micros / 1_000_000
