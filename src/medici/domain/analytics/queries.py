"""What the facts of a window add up to: read from whole days and hours, and raw at its ends."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics import combining
from medici.domain.analytics.adding import within
from medici.domain.analytics.combining import bounds_of, shape_of
from medici.domain.analytics.models import BIN_DIMENSIONS, RollupState
from medici.domain.analytics.spans import Parts, Window, parts_of
from medici.domain.events.models import Event


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
    rows = await session.execute(combining.cells(shape_of(parts)), bounds_of(parts))
    return [Cell(**row) for row in rows.mappings()]


async def latency_bins(
    session: AsyncSession, window: Window, rolled_to: datetime | None
) -> dict[BinKey, dict[int, int]]:
    """Count the latencies of a window by bin."""
    parts = parts_of(window, rolled_to=rolled_to)
    found: dict[BinKey, dict[int, int]] = defaultdict(dict)
    rows = await session.execute(combining.bins(shape_of(parts)), bounds_of(parts))
    for *key, place, events in rows:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderers:
    """How many users had a render that ended, a preview, a final, one that cost them credits."""

    all: int
    previewing: int
    finishing: int
    paying: int


async def renderers(session: AsyncSession, window: Window, rolled_to: datetime | None) -> Renderers:
    """Count the users of a window by what their renders came to."""
    parts = parts_of(window, rolled_to=rolled_to)
    whole = Parts(days=(), hours=parts.rolled, raw=parts.raw)
    found = await session.execute(combining.renderers(shape_of(whole)), bounds_of(whole))
    row = found.one()
    return Renderers(
        all=row.users, previewing=row.previews, finishing=row.finals, paying=row.credits
    )


def counts_by(told: Iterable[Cell], key: str) -> dict[str, int]:
    """Count facts by one of the things that they are told apart by."""
    counted: Counter[str] = Counter()
    for cell in told:
        counted[getattr(cell, key)] += cell.events
    return dict(counted)
