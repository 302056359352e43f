"""What time does to purchases: exact whenever somebody looks, and swept for the others."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import PurchaseState
from medici.domain.billing.lineages import Lineage
from medici.domain.billing.models import (
    EntitlementRow,
    EntitlementStatus,
    Purchase,
    StoreTransaction,
)
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service import telling
from medici.domain.billing.service.deriving import By, Cause, lock_users, rederive
from medici.domain.billing.service.lineages import lock_lineage
from medici.domain.billing.service.store_news import Touched, settle_lineages
from medici.domain.billing.variables import tuned
from medici.domain.events.facts import EventName
from medici.domain.identity.owner import OwnerKind
from medici.domain.notices.notice import Notice, NoticeType
from medici.domain.notices.service.announce import announce
from medici.kernel.environment import Environment

BATCH = 50  # users or payments that one transaction of a sweep takes
TRIAL_NOTICE = timedelta(hours=72)


async def end_entitlements(
    session: AsyncSession, *, policy: StorePolicy, now: datetime, limit: int = BATCH
) -> int:
    """Bring the next entitlements that the clock has ended up to date; return how many."""
    policy = await tuned(session, policy)
    due = await session.execute(
        select(EntitlementRow.owner_id, EntitlementRow.purchase_id)
        .where(
            EntitlementRow.owner_kind == OwnerKind.USER,
            EntitlementRow.status == EntitlementStatus.ACTIVE,
            EntitlementRow.expires_at <= now,
        )
        .order_by(EntitlementRow.expires_at, EntitlementRow.owner_id)
        .limit(limit)
    )
    found = due.all()
    await lock_users(session, {row.owner_id for row in found})
    for row in found:
        moved = await rederive(
            session, user_id=row.owner_id, cause=Cause(by=By.SWEEP), policy=policy, now=now
        )
        if moved and row.purchase_id is not None:
            await _report_end(session, await session.get(Purchase, row.purchase_id), now=now)
    return len(found)


async def announce_trials(session: AsyncSession, *, now: datetime) -> int:
    """Tell of trials that will have ended in three days, each once."""
    ending = await session.scalars(
        select(Purchase).where(
            Purchase.state == PurchaseState.TRIALING,
            Purchase.ends_at > now,
            Purchase.ends_at <= now + TRIAL_NOTICE,
            Purchase.user_id.is_not(None),
            Purchase.environment == Environment.PRODUCTION,
        )
    )
    rows = ending.all()
    for row in rows:
        end = row.ends_at.isoformat() if row.ends_at else ""
        notice = Notice(
            type=NoticeType.TRIAL_WILL_END,
            subject=f"user:{row.user_id}",
            data=telling.shown(row),
            key=f"trial:{row.id}:{end}",
        )
        await announce(session, notice, now=now)
    return len(rows)


async def collect_unrecovered(
    session: AsyncSession, *, policy: StorePolicy, now: datetime, after: UUID | None = None
) -> UUID | None:
    """Take refunded credits that a hold had kept from us; return where the next batch begins."""
    statement = select(StoreTransaction).where(StoreTransaction.unrecovered_credits > 0)
    return await _settle_again(session, statement, policy=policy, now=now, after=after)


async def settle_uncredited(
    session: AsyncSession, *, policy: StorePolicy, now: datetime, after: UUID | None = None
) -> UUID | None:
    """Look again at payments whose product or customer was not known."""
    statement = select(StoreTransaction).where(StoreTransaction.credited_at.is_(None))
    return await _settle_again(session, statement, policy=policy, now=now, after=after)


async def _settle_again(
    session: AsyncSession,
    statement: Select[StoreTransaction],
    *,
    policy: StorePolicy,
    now: datetime,
    after: UUID | None,
) -> UUID | None:
    policy = await tuned(session, policy)
    if after is not None:
        statement = statement.where(StoreTransaction.id > after)
    rows = (await session.scalars(statement.order_by(StoreTransaction.id).limit(BATCH))).all()
    for paid in rows:
        await lock_lineage(session, _lineage(paid))
        touched = Touched(lineages=set(), loose=[], left=set())
        if paid.lineage_id is None:
            touched.loose.append(paid)
        else:
            touched.lineages.add(_lineage(paid))
        await settle_lineages(session, touched, cause=Cause(by=By.SWEEP), policy=policy, now=now)
    return rows[-1].id if len(rows) == BATCH else None


def _lineage(paid: StoreTransaction) -> Lineage:
    return Lineage(
        source=paid.source,
        environment=paid.environment,
        id=paid.lineage_id or paid.transaction_id,
    )


async def _report_end(session: AsyncSession, row: Purchase | None, *, now: datetime) -> None:
    if row is not None and row.ends_at is not None and row.user_id is not None:
        await telling.purchase_moved(
            session, row, EventName.SUBSCRIPTION_ENDED, at=row.ends_at, now=now
        )
