"""What guardrails are called: a metric, and on which side of the threshold it has to stay."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from medici.domain.experiments.guardrails.errors import UnknownGuardrail
from medici.domain.experiments.metrics.errors import UnknownPrimaryMetric
from medici.domain.experiments.metrics.keys import PAID, Metric, parse_metric


class Bound(StrEnum):
    """What a value has to be in relation to its threshold; equal to it is fine."""

    AT_LEAST = ">="
    AT_MOST = "<="

    def is_broken(self, value: float, threshold: float) -> bool:
        return value < threshold if self is Bound.AT_LEAST else value > threshold


class Gate(StrEnum):
    """What there has to be enough of; the names of reasons begin with these."""

    RENDER_EVENTS = "render_events"
    ASSIGNED_USERS = "assigned_users"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailKey:
    """A guardrail without its threshold.

    ``metric`` is what is measured, None where that is the queue of the whole platform. With
    ``counted`` it is not the metric's value that counts, but how many users make it up.
    """

    name: str  # by which breaches are told
    bound: Bound
    metric: Metric | None
    counted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GateKey:
    """A gate without its number."""

    gate: Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """A metric that must stay on one side of a threshold; rates are in percent."""

    key: GuardrailKey
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """All that is guarded about one experiment, and what there has to be enough of for it."""

    guards: tuple[Guardrail, ...]
    gates: Mapping[Gate, float]

    @property
    def metrics(self) -> Iterator[Metric]:
        return (guard.key.metric for guard in self.guards if guard.key.metric is not None)


GATES = {
    "render_events_min": Gate.RENDER_EVENTS,
    "total_assigned_users_min": Gate.ASSIGNED_USERS,
}
SIDES = {"min": Bound.AT_LEAST, "max": Bound.AT_MOST}
ACTIVE_PAID_USERS = "active_paid_users"
QUEUED_JOBS = "queue_queued_jobs"
QUEUE_NAMES = frozenset({QUEUED_JOBS, "queue_backlog"})
REVENUE = "net_revenue_per_visitor"  # payments come in late, so the last hours never have them all


def parse_guardrail(key: str) -> GuardrailKey | GateKey:
    """Read a key: ``<metric>_min``, ``<metric>_max``, or with the metric's unit at the end.

    So ``p95_latency_max_ms`` and ``p95_latency_ms_max`` are the same. Case does not matter.

    Raises:
        UnknownGuardrail: it names nothing that can be guarded.
    """
    name = key.strip().lower()
    if name in GATES:
        return GateKey(gate=GATES[name])
    for word, bound in SIDES.items():
        before, found, unit = name.rpartition(f"_{word}")
        if found and (not unit or unit.startswith("_")):
            return _of_metric(before + unit, bound)
    raise UnknownGuardrail(f"{key} ends in neither _min nor _max")


def parse_guardrails(stored: Mapping[str, object]) -> Guardrails:
    """Read all guardrails of an experiment.

    Raises:
        UnknownGuardrail: a key is none, or a threshold is no number.
    """
    guards: list[Guardrail] = []
    gates: dict[Gate, float] = {}
    for name, value in stored.items():
        key, threshold = parse_guardrail(name), _number(name, value)
        if isinstance(key, GateKey):
            gates[key.gate] = threshold
        else:
            guards.append(Guardrail(key=key, threshold=threshold))
    return Guardrails(guards=tuple(guards), gates=gates)


def _of_metric(name: str, bound: Bound) -> GuardrailKey:
    if name in QUEUE_NAMES:
        return GuardrailKey(name=QUEUED_JOBS, bound=bound, metric=None)
    if name == ACTIVE_PAID_USERS:
        return GuardrailKey(name=name, bound=bound, metric=parse_metric(PAID), counted=True)
    try:
        metric = parse_metric(name)
    except UnknownPrimaryMetric as error:
        raise UnknownGuardrail(f"{name} names nothing that can be guarded") from error
    if metric.span is not None or metric.key == REVENUE:
        raise UnknownGuardrail(f"{name} is not known within the hours of a guardrail")
    return GuardrailKey(name=metric.key, bound=bound, metric=metric)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise UnknownGuardrail(f"the threshold of {name} is no number")
    return float(value)
