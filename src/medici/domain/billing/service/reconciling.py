"""Which purchases a store should be asked about, because it has been silent."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import (
    AuthMode,
    Buyer,
    PurchaseState,
    Source,
    Standing,
    StoreNews,
)
from medici.domain.billing.lineages import Lineage
from medici.domain.billing.models import Purchase, PurchaseEvent
from medici.domain.inbox import queries as inbox

MEMORY = timedelta(days=30)  # how far back stores are asked to tell again
PATIENCE = timedelta(hours=1)  # how late a store's message may be before it is asked
LIMIT = 2000  # questions of one round
ALIVE = (PurchaseState.TRIALING, PurchaseState.ACTIVE, PurchaseState.GRACE)
UNCERTAIN = (PurchaseState.BILLING_RETRY, PurchaseState.PAUSED, PurchaseState.PENDING)


async def overdue(session: AsyncSession, *, source: Source, now: datetime) -> Sequence[Lineage]:
    """Return the handles to ask a store about: what ended or was to renew, and what is not settled.

    ``id`` is what the store is asked by.
    """
    late = now - PATIENCE
    since = now - MEMORY
    ended = select(Purchase.id).where(
        Purchase.state.in_(ALIVE), Purchase.ends_at <= late, Purchase.ends_at > since
    )
    unsettled = select(Purchase.id).where(
        Purchase.watermark > since,
        Purchase.watermark <= late,
        or_(
            Purchase.state.in_(UNCERTAIN),
            Purchase.user_id.is_(None),
            Purchase.plan_id.is_(None),
            Purchase.renews_at <= late,
        ),
    )
    rows = await session.scalars(
        select(Purchase)
        .where(Purchase.source == source, Purchase.id.in_(union_all(ended, unsettled)))
        .order_by(Purchase.id)
        .limit(LIMIT)
    )
    asked = [
        Lineage(source=row.source, environment=row.environment, id=row.handle or row.lineage_id)
        for row in rows
    ]
    waiting = await inbox.waiting(session, received_before=late, limit=LIMIT)
    return asked + [
        Lineage(source=each.source, environment=each.environment, id=each.awaits)
        for each in waiting
        if each.source == source and each.awaits
    ]


async def gone(session: AsyncSession, wanted: Lineage, *, now: datetime) -> StoreNews | None:
    """Return the news that a purchase has ended which its store does not know any more."""
    event = await session.scalar(
        select(PurchaseEvent)
        .where(
            PurchaseEvent.source == wanted.source,
            PurchaseEvent.environment == wanted.environment,
            PurchaseEvent.handle == wanted.id,
        )
        .order_by(PurchaseEvent.id.desc())
        .limit(1)
    )
    if event is None:
        return None
    standing = Standing(
        lineage_id=event.told_lineage_id,
        product_id=str(event.standing["product_id"]),
        state=PurchaseState.EXPIRED,
        handle=event.handle,
        expires_at=now,
        cancel_reason="unknown_to_store",
    )
    return StoreNews(
        source=wanted.source,
        environment=wanted.environment,
        event_id=f"gone:{event.id}",
        event_type="purchase_unknown",
        event_time=now,
        auth_mode=AuthMode.FETCHED,
        buyer=Buyer(),
        standings=(standing,),
    )
