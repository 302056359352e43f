"""The 95th percentile of latencies, found by the database."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Select,
    SQLColumnExpression,
    case,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Assignment
from medici.domain.events.models import Event
from medici.domain.experiments.analysis.cohorts import in_span, is_compared, is_followed, no_earlier
from medici.domain.experiments.analysis.joining import with_assignments
from medici.domain.experiments.analysis.people import Wanted, is_recent
from medici.domain.experiments.metrics.facts import is_timed

SHARE = 0.95


Place: TypeAlias = tuple[str, int]


async def p95_latencies(
    session: AsyncSession, wanted: Wanted, totals: Mapping[str, int]
) -> dict[str, float]:
    """Return the percentile over the finished renders of each variant's recent users.

    ``totals`` says of each variant how many of these there are.
    """
    if not any(totals.values()):
        return {}
    timed = _timed(wanted, Assignment.variant_id).subquery("timed")
    total = case(dict(totals), value=timed.c.variant_id, else_=0)
    rows = await session.execute(_interpolated(timed, total, timed.c.variant_id))
    return {row.variant_id: row.p95 for row in rows}


async def p95_in_span(session: AsyncSession, wanted: Wanted) -> dict[str, float]:
    """Return the same within the primary metric's span."""
    return {variant_id: p95 for (variant_id, _), p95 in (await _by_keys(session, wanted)).items()}


async def p95_by_slot(session: AsyncSession, wanted: Wanted) -> dict[Place, float]:
    """Return the same of each slot."""
    return await _by_keys(session, wanted)


async def _by_keys(session: AsyncSession, wanted: Wanted) -> dict[Place, float]:
    slot = wanted.slots.of(Event.occurred_at) if wanted.slots else literal(0)
    inner = (
        select(Assignment.variant_id, slot.label("slot"), Event.latency_ms)
        .select_from(_facts(wanted))
        .where(*_conditions(wanted), in_span(wanted.primary, Event.occurred_at))
        .subquery("inner")
    )
    keys = (inner.c.variant_id, inner.c.slot)
    total = func.count().over(partition_by=keys).label("total")
    timed = select(*keys, inner.c.latency_ms, _place(inner.c.latency_ms, *keys), total).subquery(
        "timed"
    )
    rows = await session.execute(
        _interpolated(timed, timed.c.total, timed.c.variant_id, timed.c.slot)
    )
    return {(row.variant_id, row.slot): row.p95 for row in rows}


def _timed(wanted: Wanted, *keys: SQLColumnExpression[Any]) -> Select[Any]:
    return (
        select(*keys, Event.latency_ms, _place(Event.latency_ms, *keys))
        .select_from(_facts(wanted))
        .where(*_conditions(wanted))
    )


def _facts(wanted: Wanted) -> FromClause:
    return with_assignments(Event.__table__, wanted.experiment.experiment_id)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    return [
        is_timed(),
        is_compared(wanted.experiment),
        is_recent(wanted),
        is_followed(Event.occurred_at),
        *no_earlier(wanted.experiment),
    ]


def _interpolated(timed: Any, total: ColumnElement[int], *keys: ColumnElement[Any]) -> Any:
    """Interpolate linearly between the two values that the percentile lies between.

    ``timed`` has its values as ``latency_ms`` and their ``place`` from 0 on, the highest first.
    The two nearest values weigh by how near they are, all others nothing.
    """
    distance = func.abs(timed.c.place - cast(total - 1, Double) * (1 - SHARE))
    weight = cast(timed.c.latency_ms, Double) * (1 - distance)
    return select(*keys, func.sum(weight).label("p95")).where(distance < 1).group_by(*keys)


def _place(latency_ms: SQLColumnExpression[Any], *keys: SQLColumnExpression[Any]) -> Any:
    place = func.row_number().over(partition_by=keys, order_by=latency_ms.desc()) - 1
    return cast(place, Double).label("place")
