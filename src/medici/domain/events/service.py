"""Recording facts."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import cast

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.events.facts import Fact
from medici.domain.events.models import Event
from medici.kernel.ids import new_id

INSERT = insert(cast("Table", Event.__table__))
SAME_IN_BOTH = tuple(
    each.name for each in fields(Fact) if each.name not in {"occurred_at", "properties"}
)


async def record_all(session: AsyncSession, facts: Sequence[Fact], *, now: datetime) -> None:
    """Write many facts by one statement, in the transaction of what they tell about."""
    if facts:
        await session.execute(INSERT, [_row(fact, now) for fact in facts])


async def record(session: AsyncSession, fact: Fact, *, now: datetime) -> None:
    """Write one fact, in the transaction of what it tells about."""
    await session.flush()
    await record_all(session, [fact], now=now)


def _row(fact: Fact, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(),
        "occurred_at": fact.occurred_at or now,
        "recorded_at": now,
        "properties": dict(fact.properties),
        **{name: getattr(fact, name) for name in SAME_IN_BOTH},
    }
