"""Taking what a store has told, in one transaction, and answering for it."""

import hashlib
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import StoreNews
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service.store_news import Taken, take_news
from medici.resources import Resources

PROCESSED = "processed"


class TakenOut(BaseModel):
    """What became of a message; every one of these answers means that we have it.

    ``message`` is ``processed``, ``duplicate_event``, ``stale_event`` (newer word had been here),
    ``unclaimed`` (kept for a user or a product that we do not know yet) or ``ignored``.
    """

    event_id: str
    processed: bool
    message: str

    @classmethod
    def of(cls, taken: Taken) -> "TakenOut":
        return cls(
            event_id=taken.event_id,
            processed=taken.message == PROCESSED,
            message=taken.message,
        )


async def take(resources: Resources, news: StoreNews, raw: bytes, *, now: datetime) -> Taken:
    """Take proven news in a transaction of their own."""
    async with resources.database.transaction() as session:
        return await take_in(session, resources, news, raw, now=now)


async def take_in(
    session: AsyncSession, resources: Resources, news: StoreNews, raw: bytes, *, now: datetime
) -> Taken:
    """Take proven news in a transaction that does more."""
    return await take_news(
        session,
        news,
        keys=resources.keys,
        policy=StorePolicy.of(resources.settings),
        payload_hash=hashlib.sha256(raw).hexdigest(),
        now=now,
    )
