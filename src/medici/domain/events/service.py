"""Recording facts."""

from dataclasses import fields
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.events.facts import Fact
from medici.domain.events.models import Event
from medici.kernel.ids import new_id

SAME_IN_BOTH = tuple(
    each.name for each in fields(Fact) if each.name not in {"occurred_at", "properties"}
)


async def record(session: AsyncSession, fact: Fact, *, now: datetime) -> None:
    """Write one fact, in the transaction of what it tells about."""
    session.add(
        Event(
            id=new_id(),
            occurred_at=fact.occurred_at or now,
            recorded_at=now,
            properties=dict(fact.properties),
            **{name: getattr(fact, name) for name in SAME_IN_BOTH},
        )
    )
    await session.flush()
