"""The JSON of an experiment's set-up, as operators write it."""

import json
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from medici.domain.assignments.definition import Namespace, Variant
from medici.domain.assignments.models import AnalysisMode, ExposureMode
from medici.domain.assignments.versions import version
from medici.domain.experiments.form import EVERYBODY, USER, Audience, SetUp
from medici.doors.studio.catalogue.schemas import same_id
from medici.doors.studio.experiments.admin_answers import ExperimentOut
from medici.doors.studio.routing.schemas import ETAG, HIGHEST, InvalidRevision

MOST_VARIANTS = 100
MOST_OVERRIDES = 10_000
MOST_GUARDRAILS = 50
MOST_TARGETS = 500
LARGEST_CONFIG = 65_536  # characters of plain JSON
DEEPEST_CONFIG = 32
HEAVIEST = 1_000_000
FURTHEST = 10**12
LARGEST_SAMPLE = 1_000_000_000

ID = r"[A-Za-z0-9][A-Za-z0-9_.-]*"


def _storable(text: str) -> str:
    """Refuse what JSON can say and a database cannot store: NUL, and half a surrogate pair."""
    if "\x00" in text:
        raise ValueError("NUL cannot be stored")
    text.encode()
    return text


def _modest(config: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse a config that is too large, nests too deep, or cannot be stored."""
    _walk(config, DEEPEST_CONFIG)
    # Numbers without end are none in JSON, though Python reads and writes them.
    if len(json.dumps(config, allow_nan=False)) > LARGEST_CONFIG:
        raise ValueError(f"a config has at most {LARGEST_CONFIG} characters")
    return config


def _walk(value: JsonValue, depth: int) -> None:
    if depth < 0:
        raise ValueError(f"a config nests at most {DEEPEST_CONFIG} deep")
    if isinstance(value, str):
        _storable(value)
    elif isinstance(value, dict):
        for name, each in value.items():
            _storable(name)
            _walk(each, depth - 1)
    elif isinstance(value, list):
        for each in value:
            _walk(each, depth - 1)


def _readable(text: str) -> str:
    if version(text) is None:
        raise ValueError("a version is such as 2.4.0")
    return text


Id = Annotated[str, StringConstraints(max_length=128, pattern=f"^{ID}$")]
ExperimentId = Annotated[Id, Path()]
# Where nothing is written, the answer says what is missing by a code of its own.
Unwritten = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=128, pattern=f"^({ID})?$")
]
Metric = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=128), AfterValidator(_storable)
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_storable),
]
Text = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_storable)]
Word = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    AfterValidator(_storable),
]
Platform = Annotated[Word, StringConstraints(to_lower=True)]
Country = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, pattern="^[A-Za-z]{2}$")
]
AppVersion = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=64), AfterValidator(_readable)
]
UserId = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_storable)]
# Whole numbers stay whole, because dashboards show them as they come.
Weight = (
    Annotated[int, Field(ge=0, le=HEAVIEST, strict=True)]
    | Annotated[float, Field(ge=0, le=HEAVIEST, strict=True, allow_inf_nan=False)]
)
Threshold = (
    Annotated[int, Field(ge=-FURTHEST, le=FURTHEST, strict=True)]
    | Annotated[float, Field(ge=-FURTHEST, le=FURTHEST, strict=True, allow_inf_nan=False)]
)
Percent = Annotated[float, Field(ge=0, le=EVERYBODY, strict=True, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Config = Annotated[dict[str, JsonValue], AfterValidator(_modest)]


class Form(BaseModel):
    """A misspelt field is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


class VariantIn(Form):
    """One variant. Its share of the users is its share of all weights."""

    variant_id: Unwritten = ""
    weight: Weight = 50
    config: Config = Field(default_factory=dict)


class TargetingIn(Form):
    """Who may take part; what is left out asks nothing. Who does not tell, does not fit."""

    platform: list[Platform] | None = Field(None, min_length=1, max_length=MOST_TARGETS)
    country: list[Country] | None = Field(None, min_length=1, max_length=MOST_TARGETS)
    app_version_min: AppVersion | None = None
    plan_id: list[Word] | None = Field(None, min_length=1, max_length=MOST_TARGETS)
    new_users_only: bool | None = None

    def audience(self) -> Audience:
        return Audience(
            platform=_once(self.platform),
            country=_once(self.country),
            app_version_min=self.app_version_min,
            plan_id=_once(self.plan_id),
            new_users_only=self.new_users_only,
        )


class NamespaceIn(Form):
    """The stretch ``[from, to)`` of a namespace whose users this experiment takes."""

    id: Id
    range: tuple[Fraction, Fraction]


class ExperimentIn(Form):
    """A whole experiment; what is left out has its default.

    What only we can tell, such as ``phase``, may be sent back as it came and is not read, but for
    ``revision``, which says for which state the change was made.
    """

    experiment_id: Id | None = None
    name: Name
    description: Text | None = None
    is_active: bool = True
    assignment_unit: Metric = USER
    primary_metric: Metric = ""
    guardrails: dict[Word, Threshold] = Field(default_factory=dict, max_length=MOST_GUARDRAILS)
    variants: list[VariantIn] = Field(default_factory=list, max_length=MOST_VARIANTS)
    control_variant_id: Unwritten | None = None
    traffic_percent: Percent = EVERYBODY
    targeting: TargetingIn | None = None
    namespace: NamespaceIn | None = None
    overrides: dict[UserId, Id] = Field(default_factory=dict, max_length=MOST_OVERRIDES)
    exposure_mode: ExposureMode = ExposureMode.ASSIGNMENT
    analysis_mode: AnalysisMode = AnalysisMode.SEQUENTIAL
    planned_sample_size: int | None = Field(None, ge=2, le=LARGEST_SAMPLE, strict=True)
    revision: int | None = Field(None, ge=0, le=HIGHEST, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _without_what_we_told(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        return {name: value for name, value in sent.items() if name not in TOLD}

    def set_up(self, experiment_id: str) -> SetUp:
        """Put the form into the words of the domain.

        Raises:
            IdMismatch: it repeats another id than that of the path.
        """
        same_id(experiment_id, self.experiment_id)
        return SetUp(
            name=self.name,
            description=self.description,
            is_active=self.is_active,
            assignment_unit=self.assignment_unit,
            primary_metric=self.primary_metric,
            guardrails=self.guardrails,
            variants=tuple(
                Variant(variant_id=each.variant_id, weight=each.weight, config=each.config)
                for each in self.variants
            ),
            control_variant_id=self.control_variant_id or None,
            traffic_percent=self.traffic_percent,
            audience=(self.targeting or TargetingIn()).audience(),
            namespace=_namespace(self.namespace),
            overrides=self.overrides,
            exposure_mode=self.exposure_mode,
            analysis_mode=self.analysis_mode,
            planned_sample_size=self.planned_sample_size,
        )


TOLD: frozenset[str] = frozenset(ExperimentOut.model_fields) - frozenset(ExperimentIn.model_fields)


async def _revision(
    revision: Annotated[
        int | None, Query(ge=0, le=HIGHEST, description="Of the experiment that is meant.")
    ] = None,
    if_match: Annotated[str | None, Header(max_length=40)] = None,
) -> int | None:
    """Return the revision that a change was made for, by its query or its ``If-Match``."""
    if revision is not None or if_match is None or if_match.strip() == "*":
        return revision
    named = ETAG.fullmatch(if_match)
    if named is None:
        raise InvalidRevision
    return int(named[1])


Revision = Annotated[int | None, Depends(_revision)]


def _once(words: list[str] | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(dict.fromkeys(words))


def _namespace(given: NamespaceIn | None) -> Namespace | None:
    if given is None:
        return None
    start, end = given.range
    return Namespace(id=given.id, start=start, end=end)
