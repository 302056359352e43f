"""What became of each grant."""

from sqlalchemy import and_, case, func, or_, select, tuple_

from medici.domain.ledger.invariants.figures import UNUSED, Contradictions, or_zero, sum_of
from medici.domain.ledger.models import Account, Grant, GrantSource, LedgerEntry, Wallet

STORE_SOURCES = (GrantSource.PACK, GrantSource.PLAN_PERIOD)


def grants_equal_their_entries() -> Contradictions:
    """L6: each part of a grant is the sum of its entries, and the parts fit into the whole."""
    adjusted = LedgerEntry.account == Account.ADJUSTED
    given = and_(adjusted, LedgerEntry.amount < 0)
    taken = and_(adjusted, LedgerEntry.amount > 0)
    booked = (
        select(
            LedgerEntry.grant_id,
            (-sum_of(or_(LedgerEntry.account == Account.ISSUED, given))).label("amount"),
            sum_of(LedgerEntry.account == Account.CONSUMED).label("consumed"),
            sum_of(LedgerEntry.account == Account.HELD).label("held"),
            sum_of(LedgerEntry.account == Account.EXPIRED).label("expired"),
            sum_of(or_(LedgerEntry.account == Account.REVOKED, taken)).label("revoked"),
        )
        .where(LedgerEntry.grant_id.is_not(None))
        .group_by(LedgerEntry.grant_id)
        .subquery()
    )
    issued = case((Grant.issued_seq.is_not(None), Grant.amount), else_=0)
    parts = (Grant.consumed, Grant.held, Grant.expired, Grant.revoked)
    return (
        select(Grant.wallet_id, Grant.id.label("grant"), Grant.amount, *parts)
        .outerjoin(booked, booked.c.grant_id == Grant.id)
        .where(
            or_(
                issued != or_zero(booked.c.amount),
                *(part != or_zero(booked.c[part.key]) for part in parts),
                *(part < 0 for part in parts),
                UNUSED < 0,
            )
        )
    )


def nothing_outlives_its_end() -> Contradictions:
    """L10: when a wallet was last touched, no ended grant kept free credits."""
    ended = or_(Grant.closed_at <= Wallet.last_at, Grant.expires_at <= Wallet.last_at)
    return (
        select(Grant.wallet_id, Grant.id.label("grant"), UNUSED.label("free"))
        .join(Wallet, Wallet.id == Grant.wallet_id)
        .where(Grant.issued_seq.is_not(None), UNUSED > 0, ended)
    )


def a_purchase_is_granted_once() -> Contradictions:
    """L11: what one store transaction gave, over all wallets, is at most its own amount."""
    twice = (
        select(Grant.source, Grant.source_ref)
        .where(Grant.source.in_(STORE_SOURCES))
        .group_by(Grant.source, Grant.source_ref)
        .having(func.sum(Grant.amount - Grant.revoked) > func.max(Grant.amount))
    )
    return select(Grant.wallet_id, Grant.source, Grant.source_ref, Grant.amount).where(
        tuple_(Grant.source, Grant.source_ref).in_(twice)
    )
