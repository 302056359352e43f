"""The set-up of an experiment: everything that an operator decides, and how it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from medici.domain.assignments.definition import Namespace, Variant
from medici.domain.assignments.models import AnalysisMode, Experiment, ExposureMode

USER = "user_id"  # the one unit that is assigned
CONTROL = "control"  # by its name, unless another is named
EVERYBODY = 100.0  # percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who may take part. What is None was left out and asks nothing; of a list one must fit."""

    platform: tuple[str, ...] | None = None
    country: tuple[str, ...] | None = None
    app_version_min: str | None = None
    plan_id: tuple[str, ...] | None = None
    new_users_only: bool | None = None

    def stored(self) -> dict[str, object]:
        """Return what was asked as JSON."""
        lists = {"platform": self.platform, "country": self.country, "plan_id": self.plan_id}
        asked: dict[str, object] = {name: list(one) for name, one in lists.items() if one}
        if self.app_version_min is not None:
            asked["app_version_min"] = self.app_version_min
        if self.new_users_only is not None:
            asked["new_users_only"] = self.new_users_only
        return asked


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """An experiment as an operator wants it. ``traffic_percent`` is the share that takes part.

    ``overrides`` has the variants of named users; ``planned_sample_size`` counts users of all
    variants together.
    """

    name: str
    primary_metric: str
    variants: tuple[Variant, ...]
    description: str | None = None
    is_active: bool = True
    assignment_unit: str = USER
    guardrails: Mapping[str, float] = field(default_factory=dict)
    control_variant_id: str | None = None
    traffic_percent: float = EVERYBODY
    audience: Audience = Audience()
    namespace: Namespace | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    exposure_mode: ExposureMode = ExposureMode.ASSIGNMENT
    analysis_mode: AnalysisMode = AnalysisMode.SEQUENTIAL
    planned_sample_size: int | None = None

    @property
    def control(self) -> str:
        """Return what the others are compared with: as named, else by its name, else the first."""
        if self.control_variant_id is not None:
            return self.control_variant_id
        ids = self.variant_ids
        return CONTROL if CONTROL in ids else ids[0]

    @property
    def variant_ids(self) -> tuple[str, ...]:
        return tuple(each.variant_id for each in self.variants)

    def stored(self) -> dict[str, object]:
        """Return the columns that keep it, all but ``is_active``."""
        return {
            "name": self.name,
            "description": self.description,
            "assignment_unit": self.assignment_unit,
            "primary_metric": self.primary_metric,
            "control_variant_id": self.control,
            "traffic_percent": self.traffic_percent,
            "targeting": self.audience.stored(),
            "namespace": self.namespace and _namespace(self.namespace),
            "overrides": dict(self.overrides),
            "exposure_mode": self.exposure_mode,
            "analysis_mode": self.analysis_mode,
            "planned_sample_size": self.planned_sample_size,
            "guardrails": dict(self.guardrails),
            "variants": [_variant(each) for each in self.variants],
        }


def set_up_of(experiment: Experiment) -> SetUp:
    """Read back what an operator decided about an experiment."""
    return SetUp(
        name=experiment.name,
        description=experiment.description,
        is_active=experiment.is_active,
        assignment_unit=experiment.assignment_unit,
        primary_metric=experiment.primary_metric,
        guardrails=cast("Mapping[str, float]", experiment.guardrails),
        variants=tuple(Variant(**each) for each in experiment.variants),
        control_variant_id=experiment.control_variant_id,
        traffic_percent=experiment.traffic_percent,
        audience=audience_of(experiment.targeting),
        namespace=namespace_of(experiment.namespace),
        overrides=cast("Mapping[str, str]", experiment.overrides),
        exposure_mode=experiment.exposure_mode,
        analysis_mode=experiment.analysis_mode,
        planned_sample_size=experiment.planned_sample_size,
    )


def audience_of(stored: Mapping[str, object]) -> Audience:
    """Read an audience back as ``Audience.stored`` wrote it."""
    version = stored.get("app_version_min")
    return Audience(
        platform=_words(stored.get("platform")),
        country=_words(stored.get("country")),
        app_version_min=None if version is None else str(version),
        plan_id=_words(stored.get("plan_id")),
        new_users_only=bool(stored["new_users_only"]) if "new_users_only" in stored else None,
    )


def namespace_of(stored: Mapping[str, object] | None) -> Namespace | None:
    """Read a namespace back as it was stored."""
    match stored:
        case {"id": str(name), "range": [float() | int() as start, float() | int() as end]}:
            return Namespace(id=name, start=start, end=end)
    return None


def _variant(variant: Variant) -> dict[str, object]:
    return {
        "variant_id": variant.variant_id,
        "weight": variant.weight,
        "config": dict(variant.config),
    }


def _namespace(namespace: Namespace) -> dict[str, object]:
    return {"id": namespace.id, "range": [namespace.start, namespace.end]}


def _words(stored: object) -> tuple[str, ...] | None:
    return tuple(map(str, stored)) if isinstance(stored, list) else None
