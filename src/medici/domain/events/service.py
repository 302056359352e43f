"""Recording facts."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import cast

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.events.facts import Fact
from medici.domain.events.models import Event
from medici.kernel.db.driver.bulk import BulkInsert
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.ids import new_id

TABLE = cast("Table", Event.__table__)
INSERT = insert(TABLE)
INSERT_MANY = BulkInsert(TABLE)
SAME_IN_BOTH = tuple(
    each.name for each in fields(Fact) if each.name not in {"occurred_at", "properties"}
)


async def record_all(driver: Driver, facts: Sequence[Fact], *, now: datetime) -> None:
    """Write many facts by one statement, in the transaction of what they tell about."""
    rows = [_row(fact, now) for fact in facts]
    await INSERT_MANY.write(driver, [[row[name] for name in INSERT_MANY.columns] for row in rows])


async def record(session: AsyncSession, fact: Fact, *, now: datetime) -> None:
    """Write one fact, in the transaction of what it tells about."""
    await session.flush()
    await session.execute(INSERT, _row(fact, now))


def _row(fact: Fact, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(),
        "occurred_at": fact.occurred_at or now,
        "recorded_at": now,
        "properties": dict(fact.properties),
        **{name: getattr(fact, name) for name in SAME_IN_BOTH},
    }
