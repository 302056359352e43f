"""What a transaction of the ledger was made of, and what all of them add up to. Reads alone."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger.models import (
    Account,
    Grant,
    GrantSource,
    Hold,
    HoldStatus,
    LedgerEntry,
    LedgerTransaction,
    Wallet,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry, with the grant whose credits it moved; None where none of a grant's were."""

    account: Account
    amount: int
    grant_id: UUID | None
    source: GrantSource | None
    source_ref: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldShown:
    """The hold that a transaction placed or ended, as it stands now."""

    id: UUID
    status: HoldStatus
    amount: int
    captured: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What only an operator is shown of a transaction: the request behind it, and its hold."""

    scope: str | None
    idempotency_key: str | None
    fingerprint: str | None
    reverses: UUID | None
    hold: HoldShown | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """What all wallets together were given, spent and lost in a time."""

    granted: int
    granted_by_source: dict[GrantSource, int]
    consumed: int
    expired: int
    revoked: int
    adjusted: int
    written_off: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outstanding:
    """What all wallets together hold now, due or not."""

    available: int
    held: int
    wallet_count: int
    parked_count: int


async def lines_of(
    session: AsyncSession, transaction_ids: Collection[UUID]
) -> dict[UUID, list[Line]]:
    """Return the entries of some transactions, in their order."""
    rows = await session.execute(
        select(
            LedgerEntry.transaction_id,
            LedgerEntry.account,
            LedgerEntry.amount,
            LedgerEntry.grant_id,
            Grant.source,
            Grant.source_ref,
            Grant.expires_at,
        )
        .outerjoin(Grant, Grant.id == LedgerEntry.grant_id)
        .where(LedgerEntry.transaction_id.in_(transaction_ids))
        .order_by(LedgerEntry.transaction_id, LedgerEntry.line)
    )
    lines: dict[UUID, list[Line]] = defaultdict(list)
    for transaction_id, account, amount, grant_id, source, source_ref, expires_at in rows:
        lines[transaction_id].append(
            Line(
                account=account,
                amount=amount,
                grant_id=grant_id,
                source=source,
                source_ref=source_ref,
                expires_at=expires_at,
            )
        )
    return lines


async def particulars_of(
    session: AsyncSession, transaction_ids: Collection[UUID]
) -> dict[UUID, Particulars]:
    """Return what else is stored about some transactions."""
    rows = await session.execute(
        select(LedgerTransaction, Hold)
        .outerjoin(Hold, Hold.id == LedgerTransaction.hold_id)
        .where(LedgerTransaction.id.in_(transaction_ids))
    )
    return {
        transaction.id: Particulars(
            scope=transaction.scope,
            idempotency_key=transaction.idempotency_key,
            fingerprint=transaction.fingerprint,
            reverses=transaction.reverses,
            hold=_shown(hold),
        )
        for transaction, hold in rows
    }


async def turnover(session: AsyncSession, *, since: datetime, until: datetime) -> Turnover:
    """Add up what was posted in ``[since, until)``; reads every entry of that time."""
    rows = await session.execute(
        select(LedgerEntry.account, Grant.source, func.sum(LedgerEntry.amount))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .outerjoin(Grant, Grant.id == LedgerEntry.grant_id)
        .where(LedgerTransaction.at >= since, LedgerTransaction.at < until)
        .group_by(LedgerEntry.account, Grant.source)
    )
    totals: dict[Account, int] = defaultdict(int)
    by_source: dict[GrantSource, int] = {}
    for account, source, amount in rows:
        totals[account] += int(amount)
        if account is Account.ISSUED and source is not None:
            by_source[source] = -int(amount)
    return Turnover(
        granted=-totals[Account.ISSUED],
        granted_by_source=by_source,
        consumed=totals[Account.CONSUMED],
        expired=totals[Account.EXPIRED],
        revoked=totals[Account.REVOKED],
        adjusted=-totals[Account.ADJUSTED],
        written_off=-totals[Account.WRITTEN_OFF],
    )


async def outstanding(session: AsyncSession) -> Outstanding:
    """Add up what wallets hold at the moment."""
    row = (
        await session.execute(
            select(
                func.coalesce(func.sum(Wallet.available), 0),
                func.coalesce(func.sum(Wallet.held), 0),
                func.count(Wallet.id),
                func.count(Wallet.parked_at),
            )
        )
    ).one()
    available, held, wallet_count, parked_count = row
    return Outstanding(
        available=int(available),
        held=int(held),
        wallet_count=wallet_count,
        parked_count=parked_count,
    )


def _shown(hold: Hold | None) -> HoldShown | None:
    if hold is None:
        return None
    return HoldShown(
        id=hold.id,
        status=hold.status,
        amount=hold.amount,
        captured=hold.captured,
        expires_at=hold.expires_at,
    )
