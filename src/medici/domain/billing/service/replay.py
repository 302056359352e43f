"""Doing everything that stores ever told once more, into a database that knows nothing of it."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import AuthMode, StoreNews
from medici.domain.billing.lineages import told_by
from medici.domain.billing.models import PurchaseEvent
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service.lineages import lock_lineages
from medici.domain.billing.service.store_news import ask_store, follow_up, take_news
from medici.domain.identity.models import User
from medici.domain.inbox import queries as inbox
from medici.domain.inbox.models import WebhookEvent
from medici.kernel.db.database import Database
from medici.kernel.db.inserts import insert_into
from medici.kernel.keyring import KeyRing

BATCH = 200


async def replay(source: Database, target: Database, *, keys: KeyRing, policy: StorePolicy) -> int:
    """Take every message of one database into another, at the time at which it came.

    The target has the catalogue already. Users and their tokens come along, since no message makes
    them; so does what operators gave by hand. Return how many messages there were.
    """
    await _copy_users(source, target)
    given = await _given(source)
    count = 0
    async for message in _messages(source):
        while given and given[0][0] <= message.received_at:
            await _give(target, *given.pop(0), policy=policy)
        await _again(target, message, keys=keys, policy=policy)
        count += 1
    for at, news in given:
        await _give(target, at, news, policy=policy)
    return count


async def _again(
    target: Database, message: WebhookEvent, *, keys: KeyRing, policy: StorePolicy
) -> None:
    news = inbox.told(message, keys)
    async with target.transaction() as session:
        if message.awaits is not None:
            await ask_store(
                session,
                news,
                handle=message.awaits,
                keys=keys,
                payload_hash=message.payload_hash,
                now=message.received_at,
            )
        else:
            await take_news(
                session,
                news,
                keys=keys,
                policy=policy,
                payload_hash=message.payload_hash,
                now=message.received_at,
            )


async def _give(target: Database, at: datetime, news: StoreNews, *, policy: StorePolicy) -> None:
    async with target.transaction() as session:
        await lock_lineages(session, news)
        await follow_up(session, news, policy=policy, now=at)


async def _messages(source: Database) -> AsyncIterator[WebhookEvent]:
    after: UUID | None = None
    while True:
        async with source.reading() as session:
            batch = await inbox.in_order(session, after=after, limit=BATCH)
        for message in batch:
            yield message
        if len(batch) < BATCH:
            return
        after = batch[-1].id


async def _given(source: Database) -> list[tuple[datetime, StoreNews]]:
    """Return what operators gave, as messages, in the order in which they did."""
    async with source.reading() as session:
        rows = await session.scalars(
            select(PurchaseEvent)
            .where(PurchaseEvent.auth_mode == AuthMode.OPERATOR)
            .order_by(PurchaseEvent.id)
        )
        return [(row.recorded_at, _news(row)) for row in rows]


def _news(row: PurchaseEvent) -> StoreNews:
    told = told_by(row)
    return StoreNews(
        source=row.source,
        environment=row.environment,
        event_id=row.event_id,
        event_type="operator",
        event_time=row.event_time,
        auth_mode=row.auth_mode,
        buyer=told.buyer,
        standings=(told.standing,),
    )


async def _copy_users(source: Database, target: Database) -> None:
    async with source.reading() as session:
        rows = (await session.scalars(select(User).order_by(User.id))).all()
    async with target.transaction() as session:
        for row in rows:
            await _copy_user(session, row)


async def _copy_user(session: AsyncSession, row: User) -> None:
    values = {
        "id": row.id,
        "app_account_token": row.app_account_token,
        "created_at": row.created_at,
        "disabled_at": row.disabled_at,
    }
    await session.execute(insert_into(session, User).values(values).on_conflict_do_nothing())
