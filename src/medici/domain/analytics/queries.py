"""What the facts of a window add up to: read from whole days and hours, and raw at its ends."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, case, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics.adding import (
    MEASURES,
    USER_MEASURES,
    raw_bins,
    raw_cells,
    raw_users,
    within,
)
from medici.domain.analytics.models import (
    BIN_DIMENSIONS,
    DIMENSIONS,
    DayCell,
    DayLatency,
    HourCell,
    HourLatency,
    RollupState,
    UserHour,
)
from medici.domain.analytics.spans import Parts, Window, parts_of
from medici.domain.events.models import Event
from medici.kernel.db.base import BigInt

Rows: TypeAlias = Select[*tuple[Any, ...]]
KEYS = (*DIMENSIONS, "trusted")
BIN_KEYS = (*BIN_DIMENSIONS, "bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Alike facts of a window, added up. "" stands for what does not apply."""

    name: str
    provider: str
    model: str
    operation: str
    tier: str
    status: str
    platform: str
    plan_id: str
    error_code: str
    trusted: bool
    events: int
    timed: int
    latency_ms: int
    costed: int
    cost_micros: int
    credits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How far the rollup has come: hours before ``rolled_to`` are rolled up."""

    rolled_to: datetime | None = None
    ran_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BinKey:
    """What latencies are told apart by."""

    name: str
    provider: str
    operation: str
    tier: str
    status: str


Bins: TypeAlias = Mapping[BinKey, Mapping[int, int]]


async def freshness(session: AsyncSession) -> Freshness:
    row = (await session.execute(select(RollupState.rolled_to, RollupState.ran_at))).one_or_none()
    return Freshness(rolled_to=row.rolled_to, ran_at=row.ran_at) if row else Freshness()


async def newest_recorded_at(session: AsyncSession) -> datetime | None:
    """Return when the newest fact was recorded."""
    newest = select(Event.recorded_at).order_by(Event.id.desc()).limit(1)
    return await session.scalar(newest)


async def cells(session: AsyncSession, window: Window, rolled_to: datetime | None) -> list[Cell]:
    """Add up the facts of a window."""
    parts = parts_of(window, rolled_to=rolled_to)
    columns = (*KEYS, *MEASURES)
    told = _together(
        [
            *_selected(HourCell, parts.hours, columns),
            *_selected(DayCell, parts.days, columns),
            *(raw_cells(each) for each in parts.raw),
        ]
    )
    keys = [told.c[key] for key in KEYS]
    sums = [func.sum(told.c[name]).cast(BigInt).label(name) for name in MEASURES]
    rows = await session.execute(select(*keys, *sums).group_by(*keys))
    return [Cell(**row) for row in rows.mappings()]


async def latency_bins(
    session: AsyncSession, window: Window, rolled_to: datetime | None
) -> dict[BinKey, dict[int, int]]:
    """Count the latencies of a window by bin."""
    parts = parts_of(window, rolled_to=rolled_to)
    columns = (*BIN_KEYS, "events")
    told = _together(
        [
            *_selected(HourLatency, parts.hours, columns),
            *_selected(DayLatency, parts.days, columns),
            *(raw_bins(each) for each in parts.raw),
        ]
    )
    keys = [told.c[key] for key in BIN_KEYS]
    total = func.sum(told.c.events).cast(BigInt)
    found: dict[BinKey, dict[int, int]] = defaultdict(dict)
    for *key, place, events in await session.execute(select(*keys, total).group_by(*keys)):
        found[BinKey(*key)][place] = events
    return dict(found)


async def latencies(
    session: AsyncSession, window: Window, names: Collection[str]
) -> list[tuple[BinKey, int]]:
    """Return each latency of the named trusted facts; for windows that have few of them."""
    columns = [func.coalesce(getattr(Event, key), "") for key in BIN_DIMENSIONS]
    rows = await session.execute(
        select(*columns, Event.latency_ms).where(
            within(window),
            Event.name.in_(names),
            Event.trusted.is_(True),
            Event.latency_ms.is_not(None),
        )
    )
    return [(BinKey(*key), latency) for *key, latency in rows]


def of_users(window: Window, rolled_to: datetime | None) -> Rows:
    """Select what the renders of each user came to in a window."""
    parts = parts_of(window, rolled_to=rolled_to)
    hours = Parts(days=(), hours=(*parts.hours, *parts.days), raw=parts.raw)
    columns = ("user_id", *USER_MEASURES)
    told = _together(
        [*_selected(UserHour, hours.hours, columns), *(raw_users(each) for each in hours.raw)]
    )
    sums = [func.sum(told.c[name]).cast(BigInt).label(name) for name in columns[1:]]
    return select(told.c.user_id, *sums).group_by(told.c.user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderers:
    """How many users had a render that ended, a preview, a final, one that cost them credits."""

    all: int
    previewing: int
    finishing: int
    paying: int


async def renderers(session: AsyncSession, window: Window, rolled_to: datetime | None) -> Renderers:
    """Count the users of a window by what their renders came to."""
    each = of_users(window, rolled_to).subquery()
    row = (
        await session.execute(
            select(
                func.count().label("users"),
                *(
                    func.count(case((each.c[name] > 0, 1))).label(name)
                    for name in ("previews", "finals", "credits")
                ),
            ).select_from(each)
        )
    ).one()
    return Renderers(
        all=row.users, previewing=row.previews, finishing=row.finals, paying=row.credits
    )


def counts_by(told: Iterable[Cell], key: str) -> dict[str, int]:
    """Count facts by one of the things that they are told apart by."""
    counted: Counter[str] = Counter()
    for cell in told:
        counted[getattr(cell, key)] += cell.events
    return dict(counted)


def _selected(table: Any, spans: Sequence[Window], columns: Sequence[str]) -> list[Rows]:
    return [
        select(*(getattr(table, name) for name in columns)).where(_in(table, span))
        for span in spans
    ]


def _in(table: Any, span: Window) -> ColumnElement[bool]:
    return and_(table.since >= span.since, table.since < span.until)


def _together(selects: Sequence[Rows]) -> Any:
    if len(selects) == 1:
        return selects[0].subquery()
    return union_all(*selects).subquery()
