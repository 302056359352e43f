"""Taking messages in, once each, and noting what became of them."""

import hashlib
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Source, StoreNews
from medici.domain.inbox.models import MessageStatus, WebhookEvent
from medici.domain.inbox.sealing import NEWS, sealed
from medici.kernel.db.inserts import insert_into
from medici.kernel.environment import Environment
from medici.kernel.ids import new_id
from medici.kernel.keyring import KeyRing

log = structlog.get_logger("medici.inbox")

SHOWN = 500  # characters of a remark that are kept
RETOLD = "retold:"  # what hashes of messages begin with that had no body of their own
HASH_LENGTH = 64


async def store(
    session: AsyncSession,
    news: StoreNews,
    *,
    keys: KeyRing,
    payload_hash: str,
    now: datetime,
    awaits: str | None = None,
) -> WebhookEvent | None:
    """Keep a message as received; None where it is here already.

    ``awaits`` names the handle that its store is being asked about. A second message with the same
    id and other content is told in the log, and not kept.
    """
    message = WebhookEvent(
        id=new_id(),
        source=news.source,
        environment=news.environment,
        event_id=news.event_id,
        event_type=news.event_type,
        event_time=news.event_time,
        received_at=now,
        auth_mode=news.auth_mode,
        payload_hash=payload_hash,
        status=MessageStatus.RECEIVED,
        awaits=awaits,
        attempts=0,
    )
    message.payload = sealed(news, message.id, keys)
    values = {column.key: getattr(message, column.key) for column in WebhookEvent.__table__.columns}
    inserted = await session.scalar(
        insert_into(session, WebhookEvent)
        .values(values)
        .on_conflict_do_nothing()
        .returning(WebhookEvent.id)
    )
    if inserted is None:
        await _compare(session, news, payload_hash)
        return None
    return await session.get_one(WebhookEvent, inserted)


def retold_hash(news: StoreNews) -> str:
    """Return the hash of news that a store gave when it was asked; it is like no body's."""
    return (RETOLD + hashlib.sha256(NEWS.dump_json(news)).hexdigest())[:HASH_LENGTH]


async def mark(
    session: AsyncSession,
    message: WebhookEvent,
    status: MessageStatus,
    *,
    remark: str | None,
    now: datetime,
) -> None:
    """Note what became of a message."""
    message.status = status
    message.remark = remark[:SHOWN] if remark else None
    message.attempts += 1
    message.processed_at = now
    message.awaits = None
    await session.flush()


async def answered(
    session: AsyncSession,
    *,
    source: Source,
    environment: Environment,
    handle: str,
    status: MessageStatus,
    now: datetime,
) -> None:
    """Close every message that waited for the store's word about a handle."""
    await session.execute(
        update(WebhookEvent)
        .where(
            WebhookEvent.source == source,
            WebhookEvent.environment == environment,
            WebhookEvent.status == MessageStatus.RECEIVED,
            WebhookEvent.awaits == handle,
        )
        .values(
            status=status,
            awaits=None,
            attempts=WebhookEvent.attempts + 1,
            processed_at=now,
        )
    )


async def _compare(session: AsyncSession, news: StoreNews, payload_hash: str) -> None:
    known = await session.scalar(
        select(WebhookEvent.payload_hash).where(
            WebhookEvent.source == news.source,
            WebhookEvent.environment == news.environment,
            WebhookEvent.event_id == news.event_id,
        )
    )
    retold = payload_hash.startswith(RETOLD) or (known or "").startswith(RETOLD)
    if known != payload_hash and not retold:
        log.warning("inbox.payload_mismatch", source=news.source, event_id=news.event_id)
