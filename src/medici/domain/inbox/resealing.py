"""Keeping what stores told under the newest key, so that older ones can leave the ring."""

from collections.abc import Collection, Sequence
from uuid import UUID

import structlog
from sqlalchemy import or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.inbox.models import WebhookEvent
from medici.domain.inbox.sealing import opened, sealed
from medici.kernel.crypto import VERSION, CannotDecrypt, UnknownKey
from medici.kernel.keyring import KeyRing

log = structlog.get_logger("medici.inbox")
BATCH = 200


async def under_other_keys(
    session: AsyncSession, keys: KeyRing, *, after: UUID | None, limit: int = BATCH
) -> Sequence[UUID]:
    """Return the ids of messages that the newest key does not open, those behind ``after``."""
    first, beyond = (f"{VERSION}.{keys.current.id}{end}".encode() for end in "./")
    payload = WebhookEvent.payload
    rows = await session.scalars(
        select(WebhookEvent.id)
        .where(
            or_(payload < first, payload >= beyond),
            true() if after is None else WebhookEvent.id > after,
        )
        .order_by(WebhookEvent.id)
        .limit(limit)
    )
    return rows.all()


async def reseal(session: AsyncSession, message_ids: Collection[UUID], keys: KeyRing) -> int:
    """Seal these messages under the newest key; return how many were.

    One that is being worked on is left for the next time. One that does not open is told of in
    the log and left as it is, since its key may come back.
    """
    found = await session.scalars(
        select(WebhookEvent)
        .where(WebhookEvent.id.in_(message_ids))
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    resealed = [_reseal(message, keys) for message in found.all()]
    await session.flush()
    return resealed.count(True)


def _reseal(message: WebhookEvent, keys: KeyRing) -> bool:
    try:
        news = opened(message.payload, message.id, keys)
    except (UnknownKey, CannotDecrypt) as error:
        log.error("inbox.message_unreadable", message_id=str(message.id), error_code=error.code)
        return False
    message.payload = sealed(news, message.id, keys)
    return True
