"""Selects that put a window together: from whole days and hours, and raw at its ends."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, select, union_all

from medici.domain.analytics.adding import (
    MARKS,
    MEASURES,
    USER_MEASURES,
    Slot,
    raw_bins,
    raw_cells,
    raw_marks,
    raw_users,
)
from medici.domain.analytics.models import (
    BIN_DIMENSIONS,
    DIMENSIONS,
    DayCell,
    DayLatency,
    HourCell,
    HourLatency,
    UserHour,
)
from medici.domain.analytics.spans import Parts, Window
from medici.kernel.db.base import BigInt, Instant

Rows: TypeAlias = Select[*tuple[Any, ...]]
KEYS = (*DIMENSIONS, "trusted")
BIN_KEYS = (*BIN_DIMENSIONS, "bin")


class Shape(NamedTuple):
    """How many spans of each kind there are. Selects of one shape are built once."""

    days: int
    hours: int
    raw: int

    def slots(self, kind: str) -> list[Slot]:
        return [
            Slot(
                since=bindparam(f"{kind}_{place}_since", type_=Instant()),
                until=bindparam(f"{kind}_{place}_until", type_=Instant()),
            )
            for place in range(getattr(self, kind))
        ]


def shape_of(parts: Parts) -> Shape:
    return Shape(*(len(getattr(parts, kind)) for kind in Shape._fields))


def bounds_of(parts: Parts) -> dict[str, datetime]:
    """Return what fills the slots of a select."""
    return {
        f"{kind}_{place}_{end}": getattr(span, end)
        for kind in Shape._fields
        for place, span in enumerate(getattr(parts, kind))
        for end in ("since", "until")
    }


@cache
def cells(shape: Shape) -> Rows:
    """Select what alike facts add up to."""
    columns = (*KEYS, *MEASURES)
    told = _together(
        [
            *_selected(HourCell, shape.slots("hours"), columns),
            *_selected(DayCell, shape.slots("days"), columns),
            *(raw_cells(slot) for slot in shape.slots("raw")),
        ]
    )
    keys = [told.c[key] for key in KEYS]
    sums = [func.sum(told.c[name]).cast(BigInt).label(name) for name in MEASURES]
    return select(*keys, *sums).group_by(*keys)


@cache
def bins(shape: Shape) -> Rows:
    """Select how many latencies lie in each bin."""
    columns = (*BIN_KEYS, "events")
    told = _together(
        [
            *_selected(HourLatency, shape.slots("hours"), columns),
            *_selected(DayLatency, shape.slots("days"), columns),
            *(raw_bins(slot) for slot in shape.slots("raw")),
        ]
    )
    keys = [told.c[key] for key in BIN_KEYS]
    return select(*keys, func.sum(told.c.events).cast(BigInt)).group_by(*keys)


@cache
def renderers(shape: Shape) -> Rows:
    """Select how many users rendered, and how many of them to which end; there are no days."""
    told = _together(
        [
            *_selected(UserHour, shape.slots("hours"), ("user_id", *MARKS)),
            *(raw_marks(slot) for slot in shape.slots("raw")),
        ]
    )
    # Whether there was any is known from the greatest, which is found sooner than the sum.
    most = [func.max(told.c[name]).label(name) for name in MARKS]
    each = select(*most).group_by(told.c.user_id).subquery()
    some = [func.count(case((each.c[name] > 0, 1))).label(name) for name in MARKS]
    return select(func.count().label("users"), *some).select_from(each)


def of_users(parts: Parts) -> Rows:
    """Select what the renders of each user came to in a window."""
    columns = ("user_id", *USER_MEASURES)
    told = _together(
        [*_selected(UserHour, parts.rolled, columns), *(raw_users(each) for each in parts.raw)]
    )
    sums = [func.sum(told.c[name]).cast(BigInt).label(name) for name in USER_MEASURES]
    return select(told.c.user_id, *sums).group_by(told.c.user_id)


def _selected(table: Any, spans: Sequence[Window | Slot], columns: Sequence[str]) -> list[Rows]:
    return [
        select(*(getattr(table, name) for name in columns)).where(_in(table, span))
        for span in spans
    ]


def _in(table: Any, span: Window | Slot) -> ColumnElement[bool]:
    return and_(table.since >= span.since, table.since < span.until)


def _together(selects: Sequence[Rows]) -> Any:
    if len(selects) == 1:
        return selects[0].subquery()
    return union_all(*selects).subquery()
