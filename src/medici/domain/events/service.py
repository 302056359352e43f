"""Recording facts."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import cast
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.events.facts import Fact
from medici.domain.events.models import Event
from medici.kernel.db.driver.bulk import BulkInsert, BulkStatement
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.ids import new_id

TABLE = cast("Table", Event.__table__)
INSERT = insert(TABLE)
SAME_IN_BOTH = tuple(
    each.name for each in fields(Fact) if each.name not in {"occurred_at", "properties"}
)
SAME = attrgetter(*SAME_IN_BOTH)
COLUMNS = ("id", "occurred_at", "recorded_at", "properties", *SAME_IN_BOTH)
INSERT_MANY = BulkInsert(TABLE, COLUMNS)
# WHERE true, because SQLite would take what follows FROM for the condition of a join.
INSERT_NEW = BulkStatement(
    f"INSERT INTO events ({', '.join(COLUMNS)}) "  # noqa: S608 - our names
    f"SELECT {', '.join(f'given.{name}' for name in COLUMNS)} FROM {{rows}} WHERE true "
    "ON CONFLICT (event_id) WHERE event_id IS NOT NULL DO NOTHING RETURNING id",
    {name: TABLE.c[name] for name in COLUMNS},
)


async def record_all(driver: Driver, facts: Sequence[Fact], *, now: datetime) -> None:
    """Write many facts by one statement, in the transaction of what they tell about."""
    await INSERT_MANY.write(driver, [_row(fact, now) for fact in facts])


async def record_new(driver: Driver, facts: Sequence[Fact], *, now: datetime) -> list[bool]:
    """Write those of many facts whose ``event_id`` is new; tell of each whether it was.

    A fact without such an id is always new. Of two that come together the first is kept.
    """
    rows = [_row(fact, now) for fact in facts]
    written = {UUID(str(id_)) for (id_,) in await INSERT_NEW.run(driver, rows)}
    return [row[0] in written for row in rows]


async def record(session: AsyncSession, fact: Fact, *, now: datetime) -> None:
    """Write one fact, in the transaction of what it tells about."""
    await session.flush()
    await session.execute(INSERT, dict(zip(COLUMNS, _row(fact, now), strict=True)))


def _row(fact: Fact, now: datetime) -> tuple[object, ...]:
    return (new_id(), fact.occurred_at or now, now, dict(fact.properties), *SAME(fact))
