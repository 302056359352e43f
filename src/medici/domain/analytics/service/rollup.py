"""Rolling hours up, each anew and whole, so that doing it twice changes nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics.adding import MEASURES, USER_MEASURES, raw_bins, raw_cells, raw_users
from medici.domain.analytics.models import (
    BIN_DIMENSIONS,
    DIMENSIONS,
    DayCell,
    DayLatency,
    HourCell,
    HourLatency,
    RollupState,
    StaleHour,
    UserHour,
)
from medici.domain.analytics.service.following import look_at
from medici.domain.analytics.spans import DAY, HOUR, Window, floor_day, floor_hour
from medici.kernel.db.base import BigInt, Instant
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.inserts import insert_into
from medici.kernel.db.locks import lock_names

LOCK = "analytics.rollup"
# Facts of transactions that are still open have smaller ids than some that can be read already.
# No transaction lasts as long as this, nor do the clocks of two servers differ as much.
OVERLAP = timedelta(minutes=10)
TIME_BITS = 80  # of a UUIDv7 below its milliseconds
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
KEYS = (*DIMENSIONS, "trusted")
BIN_KEYS = (*BIN_DIMENSIONS, "bin")


async def begin(session: AsyncSession) -> UUID | None:
    """Return after which fact to look for new ones; None for from the first on."""
    last = await session.scalar(select(RollupState.last_id))
    return None if last is None else _earlier(last)


async def look_further(session: AsyncSession, *, after: UUID | None, now: datetime) -> UUID | None:
    """Look at some more facts; return the last of them, None where there is none."""
    await lock_names(await driver_of(session), [LOCK])
    last = await look_at(session, after=after, now=now)
    if last is not None:
        known = await session.get(RollupState, 1)
        if known is None:
            session.add(RollupState(id=1, last_id=last, rolled_to=NEVER, ran_at=now))
        elif known.last_id is None or known.last_id < last:
            known.last_id = last
        await session.flush()
    return last


async def roll_next(session: AsyncSession, *, now: datetime) -> bool:
    """Roll up the oldest stale hour that is over; False where there is none.

    Its day follows once none of its hours is stale, so that a day is written once and not
    twenty-four times.
    """
    await lock_names(await driver_of(session), [LOCK])
    over = select(StaleHour.since).where(StaleHour.since < floor_hour(now))
    oldest = (await session.scalars(over.order_by(StaleHour.since).limit(2))).all()
    if not oldest:
        return False
    since, *others = oldest
    await roll_hour(session, since)
    if all(floor_day(other) != floor_day(since) for other in others):
        await roll_day(session, floor_day(since))
    await session.execute(delete(StaleHour).where(StaleHour.since == since))
    return True


async def roll_hour(session: AsyncSession, since: datetime) -> None:
    """Compute an hour anew from its facts."""
    hour = Window(since=since, until=since + HOUR)
    cells = raw_cells(hour, few_names=True)
    await _replace(session, HourCell, since, cells, (*KEYS, *MEASURES))
    await _replace(session, HourLatency, since, raw_bins(hour), (*BIN_KEYS, "events"))
    users = ("user_id", *USER_MEASURES)
    await _replace(session, UserHour, since, raw_users(hour), users)


async def roll_day(session: AsyncSession, day: datetime) -> None:
    """Compute a day anew from its hours."""
    cells = _of_day(HourCell, day, KEYS, MEASURES)
    await _replace(session, DayCell, day, cells, (*KEYS, *MEASURES))
    bins = _of_day(HourLatency, day, BIN_KEYS, ("events",))
    await _replace(session, DayLatency, day, bins, (*BIN_KEYS, "events"))


async def finish(session: AsyncSession, *, now: datetime) -> None:
    """Note that every hour before the running one is rolled up."""
    insert_state = insert_into(session, RollupState).values(
        id=1, last_id=None, rolled_to=floor_hour(now), ran_at=now
    )
    await session.execute(
        insert_state.on_conflict_do_update(
            index_elements=[RollupState.id],
            set_={
                "rolled_to": insert_state.excluded.rolled_to,
                "ran_at": insert_state.excluded.ran_at,
            },
        )
    )


async def _replace(
    session: AsyncSession,
    table: Any,
    since: datetime,
    rows: Select[*tuple[Any, ...]],
    columns: Sequence[str],
) -> None:
    await session.execute(delete(table).where(table.since == since))
    told = rows.subquery()
    dated = select(literal(since, Instant()), *(told.c[name] for name in columns))
    await session.execute(insert(table).from_select(["since", *columns], dated))


def _of_day(
    table: Any, day: datetime, keys: Sequence[str], measures: Sequence[str]
) -> Select[*tuple[Any, ...]]:
    columns = [getattr(table, key) for key in keys]
    sums = [func.sum(getattr(table, name)).cast(BigInt).label(name) for name in measures]
    in_day = (table.since >= day, table.since < day + DAY)
    return select(*columns, *sums).where(*in_day).group_by(*columns)


def _earlier(id_: UUID) -> UUID:
    """Return the smallest id of the moment that is the overlap before one."""
    milliseconds = (id_.int >> TIME_BITS) - OVERLAP // timedelta(milliseconds=1)
    return UUID(int=max(milliseconds, 0) << TIME_BITS)
