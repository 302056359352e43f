"""The 95th percentile of how long renders took, with its bounds, found by the database."""

from collections.abc import Callable
from math import floor
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    String,
    and_,
    case,
    cast,
    func,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics.adding import within
from medici.domain.analytics.spans import Window
from medici.domain.events.models import Event
from medici.domain.experiments.guardrails.values import Z_95, Value
from medici.domain.experiments.metrics.facts import is_timed

SHARE = 0.95
EVERYBODY: ColumnElement[Any] = cast(null(), String)  # in place of a variant
SPREAD = Z_95**2 * SHARE * (1 - SHARE)  # of how many values lie below the percentile, per value


async def latencies(
    session: AsyncSession, people: CTE, window: Window
) -> tuple[dict[tuple[str, str], Value], dict[str, Value]]:
    """Return the percentile of each experiment's variants, and of each experiment."""
    timed = (
        select(people.c.experiment_id, people.c.variant, Event.latency_ms)
        .join_from(Event, people, Event.user_id == people.c.user_id)
        .where(within(window), Event.occurred_at >= people.c.since, is_timed())
        .cte("timed")
        .prefix_with("MATERIALIZED")
    )
    both = union_all(_percentiles(timed, timed.c.variant), _percentiles(timed, EVERYBODY))
    of_variants: dict[tuple[str, str], Value] = {}
    overall: dict[str, Value] = {}
    for row in await session.execute(both):
        if row.variant is None:
            overall[row.experiment_id] = _value(row)
        else:
            of_variants[row.experiment_id, row.variant] = _value(row)
    return of_variants, overall


def _percentiles(timed: CTE, variant: ColumnElement[Any]) -> Any:
    """Select values of each group: those beside the percentile, and those at its bounds."""
    keys = (timed.c.experiment_id, variant)
    ranked = select(
        timed.c.experiment_id,
        variant.label("variant"),
        timed.c.latency_ms,
        func.row_number().over(partition_by=keys, order_by=timed.c.latency_ms).label("place"),
        func.count().over(partition_by=keys).label("n"),
    ).subquery("ranked")
    place, n = ranked.c.place, ranked.c.n
    before = place - 1 <= SHARE * (n - 1)
    surely = _squared(SHARE * n - place) >= SPREAD * n
    values: dict[str, tuple[Callable[..., Any], ColumnElement[bool]]] = {
        "below": (func.max, before),
        "above": (func.min, place - 1 >= SHARE * (n - 1)),
        "low": (func.max, and_(place <= SHARE * n, surely)),
        "high": (func.min, and_(place > SHARE * n, surely)),
        "least": (func.min, place > 0),
        "most": (func.max, place > 0),
    }
    return select(
        ranked.c.experiment_id,
        ranked.c.variant,
        func.max(n).label("n"),
        *(
            cast(pick(case((condition, ranked.c.latency_ms))), Integer).label(name)
            for name, (pick, condition) in values.items()
        ),
    ).group_by(ranked.c.experiment_id, ranked.c.variant)


def _squared(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return value * value


def _value(row: Any) -> Value:
    """Read a percentile between its neighbours; too few values have no bounds but the extremes."""
    place = SHARE * (row.n - 1)
    return Value(
        actual=row.below + (place - floor(place)) * (row.above - row.below),
        observations=row.n,
        low=row.least if row.low is None else row.low,
        high=row.most if row.high is None else row.high,
    )
