"""From the key that an operator writes to the metric that it names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from medici.domain.experiments.metrics.errors import UnknownPrimaryMetric


class MetricKind(StrEnum):
    """What is compared, and by which test."""

    PROPORTION = "proportion"  # of users who did something
    MEAN = "mean"  # of what each user comes to, nothing included
    RATIO = "ratio"  # of two sums over users
    DESCRIPTIVE = "descriptive"  # is shown and never tested


class Good(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"


class Unit(StrEnum):
    """What a metric's value is in."""

    SHARE = "share"  # shown as a percentage
    USD = "usd"
    MILLISECONDS = "milliseconds"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric by its own name. ``span`` limits outcomes to so long after a user's exposure.

    ``event_name`` is set where the metric is about events of that name.
    """

    key: str
    kind: MetricKind
    good: Good
    span: timedelta | None = None
    unit: Unit = Unit.SHARE
    event_name: str | None = None

    @property
    def is_tested(self) -> bool:
        return self.kind is not MetricKind.DESCRIPTIVE

    def is_better(self, value: float, than: float) -> bool:
        return value > than if self.good is Good.HIGHER else value < than


PAID = "paid_conversion_rate"
EVENT = "event"
METRICS: Mapping[str, tuple[MetricKind, Good, Unit]] = {
    PAID: (MetricKind.PROPORTION, Good.HIGHER, Unit.SHARE),
    "checkout_start_rate": (MetricKind.PROPORTION, Good.HIGHER, Unit.SHARE),
    "preview_to_final_rate": (MetricKind.RATIO, Good.HIGHER, Unit.SHARE),
    "final_to_checkout_rate": (MetricKind.RATIO, Good.HIGHER, Unit.SHARE),
    "checkout_to_paid_rate": (MetricKind.RATIO, Good.HIGHER, Unit.SHARE),
    "render_success_rate": (MetricKind.RATIO, Good.HIGHER, Unit.SHARE),
    "avg_cost_per_render_usd": (MetricKind.RATIO, Good.LOWER, Unit.USD),
    "avg_latency_ms": (MetricKind.RATIO, Good.LOWER, Unit.MILLISECONDS),
    "cost_per_user_usd": (MetricKind.MEAN, Good.LOWER, Unit.USD),
    "net_revenue_per_visitor": (MetricKind.MEAN, Good.HIGHER, Unit.USD),
    "credits_per_user": (MetricKind.MEAN, Good.HIGHER, Unit.COUNT),
    "renders_per_user": (MetricKind.MEAN, Good.HIGHER, Unit.COUNT),
    "p95_latency_ms": (MetricKind.DESCRIPTIVE, Good.LOWER, Unit.MILLISECONDS),
}
ALIASES: Mapping[str, str] = {
    "conversion": PAID,
    "conversion_rate": PAID,
    "avg_cost_usd": "avg_cost_per_render_usd",
}
ALIAS_PREFIXES: Mapping[str, str] = {"upgrade_conversion": PAID, "subscription": PAID}
SPAN = re.compile(r"(.+)_([1-9]\d{0,3})([dh])", re.ASCII)
EVENT_NAME = re.compile(r"[a-z][a-z0-9_.]{0,63}", re.ASCII)


def parse_metric(key: str) -> Metric:
    """Return the metric that a key names, in whatever case.

    A key may end in ``_7d`` or ``_48h``; an event whose own name ends so cannot be asked for.

    Raises:
        UnknownPrimaryMetric: it names none.
    """
    name, span = _apart(key.strip().lower())
    event_name = _event_name(name)
    if event_name is not None:
        return Metric(
            key=f"{EVENT}:{event_name}",
            kind=MetricKind.PROPORTION,
            good=Good.HIGHER,
            span=span,
            event_name=event_name,
        )
    known = _known(name)
    if known is None:
        raise UnknownPrimaryMetric(key)
    kind, good, unit = METRICS[known]
    return Metric(key=known, kind=kind, good=good, span=span, unit=unit)


def _apart(name: str) -> tuple[str, timedelta | None]:
    found = SPAN.fullmatch(name)
    if found is None:
        return name, None
    count = int(found[2])
    return found[1], timedelta(days=count) if found[3] == "d" else timedelta(hours=count)


def _event_name(name: str) -> str | None:
    before, colon, event_name = name.partition(":")
    return event_name if before == EVENT and colon and EVENT_NAME.fullmatch(event_name) else None


def _known(name: str) -> str | None:
    if name in METRICS:
        return name
    if name in ALIASES:
        return ALIASES[name]
    prefixes = (known for alias, known in ALIAS_PREFIXES.items() if name.startswith(alias))
    return next(prefixes, None)
