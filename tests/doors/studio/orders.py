"""What orders leave behind, and how refusals are told."""

from collections import Counter
from typing import Any

import httpx
from sqlalchemy import func, select

from medici.domain.events.models import Event
from medici.domain.ledger.models import Hold
from medici.domain.plans.models import Variable
from medici.domain.rendering.models import RenderJob
from medici.jobs.models import Job
from tests.support.studio import Studio

NOWHERE = "01a20c6d-8b4b-763c-bcd8-b3c928001944"
FOREIGN = "https://example.com/room.jpg"


def told(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["detail"]


async def set_variable(studio: Studio, key: str, value: bool | int) -> None:
    async with studio.database.transaction() as session:
        await session.merge(
            Variable(key=key, value=value, description="", updated_at=studio.clock())
        )


async def traces(studio: Studio) -> Counter[str]:
    """Count what an order leaves behind."""
    async with studio.database.reading() as session:
        return Counter(
            {
                table.__tablename__: await session.scalar(select(func.count()).select_from(table))
                for table in (RenderJob, Hold, Job)
            }
        )


NOTHING = Counter({"render_jobs": 0, "credit_holds": 0, "jobs": 0})


async def blocked(studio: Studio) -> list[tuple[str, str | None, str | None]]:
    async with studio.database.reading() as session:
        rows = await session.execute(select(Event.name, Event.status, Event.tier))
        return [(row.name, row.status, row.tier) for row in rows]
