"""A wallet's two numbers, computed in every way there is."""

from sqlalchemy import Subquery, case, func, or_, select

from medici.domain.ledger.invariants.figures import (
    UNUSED,
    Contradictions,
    or_zero,
    per_hold,
    sum_of,
)
from medici.domain.ledger.models import (
    Account,
    Grant,
    Hold,
    HoldLine,
    HoldStatus,
    LedgerEntry,
    LedgerTransaction,
    Wallet,
)


def wallets_equal_their_entries() -> Contradictions:
    """L3: both numbers of a wallet are the sums of its two accounts."""
    booked = (
        select(
            LedgerTransaction.wallet_id,
            sum_of(LedgerEntry.account == Account.AVAILABLE).label("available"),
            sum_of(LedgerEntry.account == Account.HELD).label("held"),
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .group_by(LedgerTransaction.wallet_id)
        .subquery()
    )
    return _wallets_that_differ(booked)


def wallets_equal_their_grants() -> Contradictions:
    """L4: both numbers of a wallet are what its grants have free and held."""
    parts = (
        select(
            Grant.wallet_id,
            func.sum(case((Grant.issued_seq.is_not(None), UNUSED), else_=0)).label("available"),
            func.sum(Grant.held).label("held"),
        )
        .group_by(Grant.wallet_id)
        .subquery()
    )
    return _wallets_that_differ(parts)


def held_equals_pending_holds() -> Contradictions:
    """L5: what a wallet has held is the sum of its pending holds, and of their lines."""
    lines = per_hold(HoldLine.amount)
    pending = (
        select(
            Hold.wallet_id,
            func.sum(Hold.amount).label("holds"),
            func.sum(func.coalesce(lines.c.total, 0)).label("lines"),
        )
        .outerjoin(lines, lines.c.hold_id == Hold.id)
        .where(Hold.status == HoldStatus.PENDING)
        .group_by(Hold.wallet_id)
        .subquery()
    )
    holds, parts = or_zero(pending.c.holds), or_zero(pending.c.lines)
    return (
        select(
            Wallet.id.label("wallet_id"), Wallet.held, holds.label("holds"), parts.label("lines")
        )
        .outerjoin(pending, pending.c.wallet_id == Wallet.id)
        .where(or_(Wallet.held != holds, Wallet.held != parts))
    )


def _wallets_that_differ(figures: Subquery) -> Contradictions:
    available, held = or_zero(figures.c.available), or_zero(figures.c.held)
    return (
        select(
            Wallet.id.label("wallet_id"),
            Wallet.available,
            available.label("computed_available"),
            Wallet.held,
            held.label("computed_held"),
        )
        .outerjoin(figures, figures.c.wallet_id == Wallet.id)
        .where(or_(Wallet.available != available, Wallet.held != held))
    )
