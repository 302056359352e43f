"""Reading purchases, payments and their history, for customers and operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import PurchaseState, Source
from medici.domain.billing.errors import PurchaseNotFound
from medici.domain.billing.models import (
    EntitlementChange,
    EntitlementRow,
    EntitlementStatus,
    Purchase,
    PurchaseEvent,
    StoreRefund,
    StoreTransaction,
)
from medici.domain.identity.owner import Owner, OwnerKind
from medici.kernel.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which purchases to list; what is None does not narrow, ``unclaimed`` is of nobody."""

    user_id: str | None = None
    source: Source | None = None
    environment: Environment | None = None
    state: PurchaseState | None = None
    plan_id: str | None = None
    lineage_id: str | None = None
    unclaimed: bool = False


async def purchases(
    session: AsyncSession, wanted: Wanted, *, limit: int, before: UUID | None = None
) -> Sequence[Purchase]:
    """Return purchases, newest first; ``before`` is the last id of the page before."""
    statement = select(Purchase)
    for name in ("user_id", "source", "environment", "state", "plan_id", "lineage_id"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(getattr(Purchase, name) == value)
    if wanted.unclaimed:
        statement = statement.where(Purchase.user_id.is_(None))
    if before is not None:
        statement = statement.where(Purchase.id < before)
    return (await session.scalars(statement.order_by(Purchase.id.desc()).limit(limit))).all()


async def purchase(session: AsyncSession, purchase_id: UUID) -> Purchase:
    """Return one purchase.

    Raises:
        PurchaseNotFound: there is none.
    """
    found = await session.get(Purchase, purchase_id)
    if found is None:
        raise PurchaseNotFound(f"no purchase {purchase_id}")
    return found


async def events_of(session: AsyncSession, row: Purchase) -> Sequence[PurchaseEvent]:
    """Return what was told about a purchase, in the order in which it was so."""
    rows = await session.scalars(
        select(PurchaseEvent)
        .where(
            PurchaseEvent.source == row.source,
            PurchaseEvent.environment == row.environment,
            PurchaseEvent.lineage_id == row.lineage_id,
        )
        .order_by(PurchaseEvent.event_time, PurchaseEvent.id)
    )
    return rows.all()


async def transactions(
    session: AsyncSession,
    *,
    user_id: str | None = None,
    of: Purchase | None = None,
    limit: int,
    before: UUID | None = None,
) -> Sequence[StoreTransaction]:
    """Return payments of a user or of a purchase, newest first."""
    statement = select(StoreTransaction)
    if user_id is not None:
        statement = statement.where(StoreTransaction.user_id == user_id)
    if of is not None:
        statement = statement.where(
            StoreTransaction.source == of.source,
            StoreTransaction.environment == of.environment,
            StoreTransaction.lineage_id == of.lineage_id,
        )
    if before is not None:
        statement = statement.where(StoreTransaction.id < before)
    ordered = statement.order_by(StoreTransaction.id.desc()).limit(limit)
    return (await session.scalars(ordered)).all()


async def refunds_of(session: AsyncSession, paid: StoreTransaction) -> Sequence[StoreRefund]:
    """Return the refunds of a payment, oldest first."""
    rows = await session.scalars(
        select(StoreRefund)
        .where(
            StoreRefund.source == paid.source,
            StoreRefund.environment == paid.environment,
            StoreRefund.transaction_id == paid.transaction_id,
        )
        .order_by(StoreRefund.said_at, StoreRefund.refund_id)
    )
    return rows.all()


async def changes(
    session: AsyncSession, *, owner: Owner, limit: int, before: UUID | None = None
) -> Sequence[EntitlementChange]:
    """Return how an owner's entitlement has changed, newest first."""
    statement = select(EntitlementChange).where(
        EntitlementChange.owner_kind == owner.kind, EntitlementChange.owner_id == owner.id
    )
    if before is not None:
        statement = statement.where(EntitlementChange.id < before)
    ordered = statement.order_by(EntitlementChange.id.desc()).limit(limit)
    return (await session.scalars(ordered)).all()


async def entitlements(
    session: AsyncSession,
    *,
    status: EntitlementStatus | None = None,
    source: Source | None = None,
    plan_id: str | None = None,
    updated_since: datetime | None = None,
    limit: int,
    after: str | None = None,
) -> Sequence[EntitlementRow]:
    """Return users' entitlements by user id; ``after`` is the last id of the page before."""
    statement = select(EntitlementRow).where(EntitlementRow.owner_kind == OwnerKind.USER)
    for column, value in (
        (EntitlementRow.status, status),
        (EntitlementRow.source, source),
        (EntitlementRow.plan_id, plan_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if updated_since is not None:
        statement = statement.where(EntitlementRow.updated_at >= updated_since)
    if after is not None:
        statement = statement.where(EntitlementRow.owner_id > after)
    return (await session.scalars(statement.order_by(EntitlementRow.owner_id).limit(limit))).all()
