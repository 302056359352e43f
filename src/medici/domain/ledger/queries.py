"""Reading wallets. What takes part in a decision is read under the wallet's lock."""

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, case, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.owner import Owner
from medici.domain.ledger import rules
from medici.domain.ledger.errors import (
    GrantNotFound,
    HoldNotFound,
    TransactionNotFound,
    WalletNotFound,
)
from medici.domain.ledger.models import (
    OPEN_GRANT,
    Account,
    Grant,
    GrantSource,
    Hold,
    HoldLine,
    HoldStatus,
    LedgerEntry,
    LedgerTransaction,
    PostingKind,
    Wallet,
)
from medici.domain.ledger.rules import GrantState, Request, Slice
from medici.domain.ledger.values import Reference
from medici.kernel.environment import Environment

CHARGES = (PostingKind.CAPTURE, PostingKind.LATE_CAPTURE)
STATE_COLUMNS = [getattr(Grant, field.name) for field in fields(GrantState)]
UNUSED = Grant.amount - Grant.consumed - Grant.held - Grant.expired - Grant.revoked

# Built once: building a statement anew costs several times what running it does.
LOCK_WALLETS = (
    select(Wallet)
    .where(Wallet.id.in_(bindparam("wallets", expanding=True)))
    .order_by(Wallet.id)
    .with_for_update()
    # An object that was loaded before would keep its stale numbers otherwise.
    .execution_options(populate_existing=True)
)
OPEN_GRANTS = select(*STATE_COLUMNS).where(Grant.wallet_id == bindparam("wallet"), OPEN_GRANT)
EARLIER_TRANSACTION = select(LedgerTransaction).where(
    LedgerTransaction.scope == bindparam("scope"),
    LedgerTransaction.idempotency_key == bindparam("key"),
)


async def wallet_by_owner(
    session: AsyncSession,
    *,
    owner: Owner,
    environment: Environment = Environment.PRODUCTION,
    asset: str = "credit",
) -> Wallet | None:
    """Return the owner's wallet, or None before it has been opened."""
    wallet: Wallet | None = await session.scalar(
        select(Wallet)
        .where(
            Wallet.owner_kind == owner.kind,
            Wallet.owner_id == owner.id,
            Wallet.environment == environment,
            Wallet.asset == asset,
        )
        .execution_options(populate_existing=True)
    )
    return wallet


async def locked_wallet(session: AsyncSession, wallet_id: UUID) -> Wallet:
    """Return the wallet as stored now, locked until the transaction ends."""
    return (await locked_wallets(session, {wallet_id}))[wallet_id]


async def locked_wallets(session: AsyncSession, wallet_ids: Collection[UUID]) -> dict[UUID, Wallet]:
    """Lock several wallets, always by ascending id, so that two callers cannot block each other."""
    rows = await session.scalars(LOCK_WALLETS, {"wallets": list(wallet_ids)})
    wallets = {wallet.id: wallet for wallet in rows}
    if missing := set(wallet_ids) - wallets.keys():
        raise WalletNotFound(f"no wallet {min(missing)}")
    return wallets


async def open_grants(session: AsyncSession, wallet_id: UUID) -> list[GrantState]:
    """Return the grants that still have credits free, held or to come."""
    rows = await session.execute(OPEN_GRANTS, {"wallet": wallet_id})
    return [GrantState(**row) for row in rows.mappings()]


async def grants_by_id(session: AsyncSession, grant_ids: Collection[UUID]) -> list[GrantState]:
    """Return grants in whatever state they are."""
    rows = await session.execute(select(*STATE_COLUMNS).where(Grant.id.in_(grant_ids)))
    return [GrantState(**row) for row in rows.mappings()]


async def wallet_of_grant(session: AsyncSession, grant_id: UUID) -> UUID:
    """Return which wallet a grant belongs to; it never changes."""
    wallet_id = await session.scalar(select(Grant.wallet_id).where(Grant.id == grant_id))
    if wallet_id is None:
        raise GrantNotFound(f"no grant {grant_id}")
    return wallet_id


async def granted(
    session: AsyncSession, *, wallet_id: UUID, source: GrantSource, period: str
) -> int:
    """Return how many credits a source has given for a period, top-ups included."""
    amount = await session.scalar(
        select(func.sum(Grant.amount)).where(
            Grant.wallet_id == wallet_id,
            Grant.source == source,
            or_(
                Grant.source_ref == period,
                Grant.source_ref.startswith(f"{period}:", autoescape=True),
            ),
        )
    )
    return int(amount or 0)


async def hold_by_reference(
    session: AsyncSession, *, wallet_id: UUID, reference: Reference
) -> UUID:
    """Return the hold that a wallet has for a business object."""
    hold_id = await session.scalar(
        select(Hold.id).where(
            Hold.wallet_id == wallet_id,
            Hold.ref_kind == reference.kind,
            Hold.ref_id == reference.id,
        )
    )
    if hold_id is None:
        raise HoldNotFound(f"no hold for {reference}")
    return hold_id


async def locked_hold(session: AsyncSession, hold_id: UUID) -> tuple[Wallet, Hold]:
    """Return a hold as it is now, with its wallet locked."""
    wallet_id = await session.scalar(select(Hold.wallet_id).where(Hold.id == hold_id))
    if wallet_id is None:
        raise HoldNotFound(f"no hold {hold_id}")
    wallet = await locked_wallet(session, wallet_id)
    return wallet, await session.get_one(Hold, hold_id, populate_existing=True)


async def hold_lines(session: AsyncSession, hold_id: UUID) -> list[HoldLine]:
    """Return what each grant covers, in the order in which they were burnt."""
    rows = await session.scalars(
        select(HoldLine)
        .where(HoldLine.hold_id == hold_id)
        .order_by(HoldLine.position)
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def overdue_holds(session: AsyncSession, *, now: datetime, limit: int) -> list[Hold]:
    """Return pending holds whose time is over, wallets in ascending order, parked ones left out."""
    oldest = (
        select(Hold.id)
        .join(Wallet, Wallet.id == Hold.wallet_id)
        .where(
            Hold.status == HoldStatus.PENDING, Hold.expires_at <= now, Wallet.parked_at.is_(None)
        )
        .order_by(Hold.expires_at)
        .limit(limit)
    )
    rows = await session.scalars(
        select(Hold).where(Hold.id.in_(oldest)).order_by(Hold.wallet_id, Hold.id)
    )
    return list(rows)


async def due_wallets(session: AsyncSession, *, now: datetime, limit: int) -> list[UUID]:
    """Return wallets with grants that time has begun or ended, ascending, parked ones left out."""
    begun = select(Grant.wallet_id).where(Grant.issued_seq.is_(None), Grant.effective_at <= now)
    over = select(Grant.wallet_id).where(
        OPEN_GRANT, Grant.issued_seq.is_not(None), UNUSED > 0, Grant.expires_at <= now
    )
    rows = await session.scalars(
        select(Wallet.id)
        # Two statements in one, because each finds its rows by an index of its own.
        .where(Wallet.id.in_(union_all(begun, over)), Wallet.parked_at.is_(None))
        .order_by(Wallet.id)
        .limit(limit)
    )
    return list(rows)


async def charge_of_hold(session: AsyncSession, hold_id: UUID) -> UUID | None:
    """Return the transaction that took the hold's credits, or None if none did."""
    wallet_id = await session.scalar(select(Hold.wallet_id).where(Hold.id == hold_id))
    if wallet_id is None:
        raise HoldNotFound(f"no hold {hold_id}")
    charge: UUID | None = await session.scalar(
        select(LedgerTransaction.id).where(
            LedgerTransaction.scope.in_(
                [rules.scope(wallet_id, "resolve"), rules.scope(wallet_id, "late")]
            ),
            LedgerTransaction.idempotency_key == hold_id.hex,
            LedgerTransaction.kind.in_(CHARGES),
        )
    )
    return charge


async def transaction(session: AsyncSession, transaction_id: UUID) -> LedgerTransaction:
    """Return a posted transaction."""
    found = await session.get(LedgerTransaction, transaction_id)
    if found is None:
        raise TransactionNotFound(f"no transaction {transaction_id}")
    return found


async def transaction_of(session: AsyncSession, request: Request) -> LedgerTransaction | None:
    """Return the transaction of an earlier request under the same key."""
    found: LedgerTransaction | None = await session.scalar(
        EARLIER_TRANSACTION, {"scope": request.scope, "key": request.key}
    )
    return found


async def unrefunded(session: AsyncSession, transaction_id: UUID) -> list[Slice]:
    """Return what a transaction consumed and nobody gave back yet, the last burnt first."""
    rows = await session.execute(
        select(LedgerEntry.grant_id, func.sum(LedgerEntry.amount))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(
            or_(
                LedgerTransaction.id == transaction_id,
                LedgerTransaction.reverses == transaction_id,
            ),
            LedgerEntry.account == Account.CONSUMED,
        )
        .group_by(LedgerEntry.grant_id)
        .having(func.sum(LedgerEntry.amount) > 0)
        .order_by(func.max(case((LedgerTransaction.id == transaction_id, LedgerEntry.line))).desc())
    )
    return [Slice(grant_id=id_, amount=int(amount)) for id_, amount in rows if id_]
