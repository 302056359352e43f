"""What is added up of one user, and how metrics are put together from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Double, and_, case, cast, literal

from medici.domain.experiments.metrics.keys import Metric


class Measure(StrEnum):
    """One number of a user, from their first exposure on."""

    COMPLETED = "completed"  # renders
    FAILED = "failed"
    ENDED = "ended"  # renders, canceled ones included
    TIMED = "timed"  # finished renders whose latency is known
    LATENCY_MS = "latency_ms"  # of those, together
    COST_USD = "cost_usd"  # of renders, failed ones included
    CREDITS = "credits"  # spent
    PREVIEWS = "previews"  # delivered
    FINALS = "finals"
    CHECKOUTS = "checkouts"
    NAMED = "named"  # events of the name that the metric is about
    PAID = "paid"  # 1 where the first paid activation falls in
    REVENUE_USD = "revenue_usd"


Columns: TypeAlias = Mapping[Measure, ColumnElement[Any]]
Make: TypeAlias = Callable[[Columns], ColumnElement[Any]]
NONE: ColumnElement[float] = literal(0.0, Double)
ONE: ColumnElement[float] = literal(1.0, Double)


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A user's share in a metric's numerator and, for ratios, in its denominator."""

    measures: frozenset[Measure]
    numerator: Make
    denominator: Make | None = None


def formula_of(metric: Metric) -> Formula:
    """Return how a metric is put together; of what is only described, how many values it has."""
    if metric.event_name is not None:
        return _did(Measure.NAMED)
    return FORMULAS[metric.key]


def did(*measures: Measure) -> Make:
    """Return what is 1 for a user who did all of it, else 0."""
    return lambda columns: case((and_(*(columns[each] > 0 for each in measures)), ONE), else_=NONE)


def _did(measure: Measure) -> Formula:
    return Formula(measures=frozenset([measure]), numerator=did(measure))


def _went_on(first: Measure, then: Measure) -> Formula:
    return Formula(
        measures=frozenset([first, then]), numerator=did(first, then), denominator=did(first)
    )


def _sum(*measures: Measure) -> Make:
    def added(columns: Columns) -> ColumnElement[Any]:
        first, *others = (cast(columns[each], Double) for each in measures)
        return sum(others, start=first + NONE)

    return added


def _mean(measure: Measure) -> Formula:
    return Formula(measures=frozenset([measure]), numerator=_sum(measure))


def _ratio(numerator: Measure, *denominators: Measure) -> Formula:
    return Formula(
        measures=frozenset([numerator, *denominators]),
        numerator=_sum(numerator),
        denominator=_sum(*denominators),
    )


FORMULAS: Mapping[str, Formula] = {
    "paid_conversion_rate": _did(Measure.PAID),
    "checkout_start_rate": _did(Measure.CHECKOUTS),
    "preview_to_final_rate": _went_on(Measure.PREVIEWS, Measure.FINALS),
    "final_to_checkout_rate": _went_on(Measure.FINALS, Measure.CHECKOUTS),
    "checkout_to_paid_rate": _went_on(Measure.CHECKOUTS, Measure.PAID),
    "render_success_rate": _ratio(Measure.COMPLETED, Measure.COMPLETED, Measure.FAILED),
    "avg_cost_per_render_usd": _ratio(Measure.COST_USD, Measure.ENDED),
    "avg_latency_ms": _ratio(Measure.LATENCY_MS, Measure.TIMED),
    "p95_latency_ms": _mean(Measure.TIMED),  # counts what the percentile is of
    "cost_per_user_usd": _mean(Measure.COST_USD),
    "net_revenue_per_visitor": _mean(Measure.REVENUE_USD),
    "credits_per_user": _mean(Measure.CREDITS),
    "renders_per_user": _mean(Measure.COMPLETED),
}
