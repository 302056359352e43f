"""An experiment as assignment reads it: parsed once, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from medici.domain.assignments.bucketing import Range, ranges
from medici.domain.assignments.models import (
    Experiment,
    ExperimentRuntime,
    ExperimentStatus,
    ExposureMode,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What some of the users get. ``config`` is the client's own business."""

    variant_id: str
    weight: float
    config: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Targeting:
    """Whom an experiment is for; what is empty restricts nobody."""

    platforms: frozenset[str] = frozenset()  # in small letters
    countries: frozenset[str] = frozenset()  # in capitals
    app_version_min: str | None = None
    plan_ids: frozenset[str] = frozenset()
    new_users_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A share of users that experiments of one namespace divide among themselves."""

    id: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The winner, and the percentage of users who get it whatever they were drawn for."""

    winner_variant_id: str
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """How an experiment assigns.

    ``ladder`` is None as long as nobody stands on it; ``rollout_percent`` is what is stored of it,
    by which a copy that grew old is found out.
    """

    experiment_id: str
    status: ExperimentStatus
    variants: tuple[Variant, ...]
    control_variant_id: str
    seed: str
    bucket_version: int
    phase: int
    phase_started_at: datetime | None
    traffic_percent: float
    targeting: Targeting = Targeting()
    namespace: Namespace | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    exposure_mode: ExposureMode = ExposureMode.ASSIGNMENT
    revision: int
    ladder: Ladder | None = None
    rollout_percent: int = 0
    ranges: tuple[Range, ...] = field(init=False, repr=False, compare=False)
    _by_id: Mapping[str, Variant] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        weights = [variant.weight for variant in self.variants]
        object.__setattr__(self, "ranges", ranges(weights, self.traffic_percent / 100))
        by_id = {variant.variant_id: variant for variant in self.variants}
        object.__setattr__(self, "_by_id", by_id)

    def variant(self, variant_id: str | None) -> Variant | None:
        return None if variant_id is None else self._by_id.get(variant_id)

    @property
    def control(self) -> Variant:
        return self._by_id[self.control_variant_id]

    @property
    def is_running(self) -> bool:
        return self.status is ExperimentStatus.RUNNING


def definition_of(experiment: Experiment, runtime: ExperimentRuntime | None) -> Definition:
    """Return how an experiment assigns with the ladder where it stands."""
    percent = (runtime.rollout_percent or 0) if runtime else 0
    variants = tuple(map(_variant, experiment.variants))
    return Definition(
        experiment_id=experiment.experiment_id,
        status=experiment.status,
        variants=variants,
        control_variant_id=experiment.control_variant_id,
        seed=experiment.seed,
        bucket_version=experiment.bucket_version,
        phase=experiment.phase,
        phase_started_at=experiment.phase_started_at,
        traffic_percent=experiment.traffic_percent,
        targeting=_targeting(experiment.targeting),
        namespace=_namespace(experiment.namespace),
        overrides=cast("Mapping[str, str]", experiment.overrides),
        exposure_mode=experiment.exposure_mode,
        revision=experiment.revision,
        ladder=_ladder(runtime.winner_variant_id if runtime else None, percent, variants),
        rollout_percent=percent,
    )


def _variant(stored: Mapping[str, Any]) -> Variant:
    return Variant(
        variant_id=stored["variant_id"], weight=stored["weight"], config=stored.get("config") or {}
    )


def _targeting(stored: Mapping[str, Any]) -> Targeting:
    return Targeting(
        platforms=frozenset(each.lower() for each in stored.get("platform") or ()),
        countries=frozenset(each.upper() for each in stored.get("country") or ()),
        app_version_min=stored.get("app_version_min"),
        plan_ids=frozenset(stored.get("plan_id") or ()),
        new_users_only=bool(stored.get("new_users_only")),
    )


def _namespace(stored: Mapping[str, Any] | None) -> Namespace | None:
    if not stored:
        return None
    start, end = stored["range"]
    return Namespace(id=stored["id"], start=start, end=end)


def _ladder(winner: str | None, percent: int, variants: Sequence[Variant]) -> Ladder | None:
    """Return the ladder; nobody can stand on it for a variant that is gone."""
    if winner is None or not percent:
        return None
    if winner not in {variant.variant_id for variant in variants}:
        return None
    return Ladder(winner_variant_id=winner, percent=percent)
