"""Reading the inbox, for operators and for those who do its work again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Source, StoreNews
from medici.domain.inbox.errors import MessageNotFound
from medici.domain.inbox.models import MessageStatus, WebhookEvent
from medici.domain.inbox.sealing import opened
from medici.kernel.environment import Environment
from medici.kernel.keyring import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages to list; what is None does not narrow."""

    source: Source | None = None
    environment: Environment | None = None
    status: MessageStatus | None = None
    event_type: str | None = None
    event_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def messages(
    session: AsyncSession, wanted: Wanted, *, limit: int, before: UUID | None = None
) -> Sequence[WebhookEvent]:
    """Return messages, newest first; ``before`` is the last id of the page before."""
    statement = _narrowed(select(WebhookEvent), wanted)
    if before is not None:
        statement = statement.where(WebhookEvent.id < before)
    return (await session.scalars(statement.order_by(WebhookEvent.id.desc()).limit(limit))).all()


async def message(session: AsyncSession, message_id: UUID) -> WebhookEvent:
    """Return one message.

    Raises:
        MessageNotFound: there is none.
    """
    found = await session.get(WebhookEvent, message_id)
    if found is None:
        raise MessageNotFound(f"no message {message_id}")
    return found


def told(found: WebhookEvent, keys: KeyRing) -> StoreNews:
    """Open what a message told."""
    return opened(found.payload, found.id, keys)


async def in_order(
    session: AsyncSession, *, after: UUID | None, limit: int
) -> Sequence[WebhookEvent]:
    """Return messages in the order in which they came, those behind ``after``."""
    statement = select(WebhookEvent).order_by(WebhookEvent.id).limit(limit)
    if after is not None:
        statement = statement.where(WebhookEvent.id > after)
    return (await session.scalars(statement)).all()


async def waiting(
    session: AsyncSession, *, received_before: datetime, limit: int
) -> Sequence[WebhookEvent]:
    """Return the oldest messages that still wait for their store's word."""
    statement = (
        select(WebhookEvent)
        .where(
            WebhookEvent.status == MessageStatus.RECEIVED,
            WebhookEvent.received_at < received_before,
            WebhookEvent.awaits.is_not(None),
        )
        .order_by(WebhookEvent.received_at)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


def _narrowed(statement: Select[WebhookEvent], wanted: Wanted) -> Select[WebhookEvent]:
    for name in ("source", "environment", "status", "event_type", "event_id"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(getattr(WebhookEvent, name) == value)
    if wanted.since is not None:
        statement = statement.where(WebhookEvent.received_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(WebhookEvent.received_at < wanted.until)
    return statement
