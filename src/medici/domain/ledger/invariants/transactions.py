"""Each transaction for itself, and in the row of its wallet."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Subquery,
    Uuid,
    and_,
    cast,
    func,
    null,
    or_,
    select,
)

from medici.domain.ledger.invariants.figures import (
    Contradictions,
    or_zero,
    sum_of,
    total,
)
from medici.domain.ledger.models import (
    Account,
    Grant,
    LedgerEntry,
    LedgerTransaction,
    Wallet,
)


def every_transaction_sums_to_zero() -> Contradictions:
    """L1: what leaves one account comes to another."""
    return (
        select(LedgerTransaction.wallet_id, LedgerTransaction.id.label("transaction"), total())
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .group_by(LedgerTransaction.wallet_id, LedgerTransaction.id)
        .having(func.sum(LedgerEntry.amount) != 0)
    )


def the_ledger_sums_to_zero() -> Contradictions:
    """L2: no credit comes from nowhere, per asset and environment."""
    return (
        select(cast(null(), Uuid).label("wallet_id"), Wallet.asset, Wallet.environment, total())
        .join(LedgerTransaction, LedgerTransaction.wallet_id == Wallet.id)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .group_by(Wallet.asset, Wallet.environment)
        .having(func.sum(LedgerEntry.amount) != 0)
    )


def numbers_have_no_gap() -> Contradictions:
    """L8: a wallet's transactions are numbered from 1 to its ``seq``, each once."""
    numbered = (
        select(
            LedgerTransaction.wallet_id,
            func.count().label("count"),
            func.min(LedgerTransaction.wallet_seq).label("first"),
            func.max(LedgerTransaction.wallet_seq).label("last"),
        )
        .group_by(LedgerTransaction.wallet_id)
        .subquery()
    )
    count, last = or_zero(numbered.c.count), or_zero(numbered.c.last)
    return (
        select(Wallet.id.label("wallet_id"), Wallet.seq, count.label("count"), last.label("last"))
        .outerjoin(numbered, numbered.c.wallet_id == Wallet.id)
        .where(or_(count != Wallet.seq, last != Wallet.seq, numbered.c.first != 1))
    )


def entries_stay_in_their_wallet() -> Contradictions:
    """L9: no entry refers to another wallet's grant."""
    return (
        select(
            LedgerTransaction.wallet_id,
            LedgerTransaction.id.label("transaction"),
            Grant.id.label("grant"),
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(Grant, Grant.id == LedgerEntry.grant_id)
        .where(Grant.wallet_id != LedgerTransaction.wallet_id)
    )


def a_key_has_one_effect() -> Contradictions:
    """L12: no two transactions stand for the same request."""
    return (
        select(
            LedgerTransaction.wallet_id, LedgerTransaction.scope, LedgerTransaction.idempotency_key
        )
        .where(LedgerTransaction.idempotency_key.is_not(None))
        .group_by(
            LedgerTransaction.wallet_id, LedgerTransaction.scope, LedgerTransaction.idempotency_key
        )
        .having(func.count() > 1)
    )


def nothing_was_ever_below_zero() -> Contradictions:
    """L13: neither number of a wallet has been negative after any transaction."""
    run = _running()
    return select(run.c.wallet_id, run.c.wallet_seq, run.c.available, run.c.held).where(
        or_(run.c.available < 0, run.c.held < 0)
    )


def a_replay_gives_what_was_answered() -> Contradictions:
    """L14: adding the entries up from zero gives every recorded result, the newest included."""
    run = _running()
    return (
        select(run.c.wallet_id, run.c.wallet_seq, run.c.available, run.c.held)
        .join(Wallet, Wallet.id == run.c.wallet_id)
        .where(
            or_(
                run.c.available != run.c.told_available,
                run.c.held != run.c.told_held,
                and_(
                    run.c.wallet_seq == Wallet.seq,
                    or_(run.c.available != Wallet.available, run.c.held != Wallet.held),
                ),
            )
        )
    )


def _running() -> Subquery:
    """Select both numbers of each wallet after each of its transactions, and what was told."""
    changes = (
        select(
            LedgerEntry.transaction_id,
            sum_of(LedgerEntry.account == Account.AVAILABLE).label("available"),
            sum_of(LedgerEntry.account == Account.HELD).label("held"),
        )
        .group_by(LedgerEntry.transaction_id)
        .subquery()
    )
    return (
        select(
            LedgerTransaction.wallet_id,
            LedgerTransaction.wallet_seq,
            _so_far(changes.c.available).label("available"),
            _so_far(changes.c.held).label("held"),
            _told("available").label("told_available"),
            _told("held").label("told_held"),
        )
        .outerjoin(changes, changes.c.transaction_id == LedgerTransaction.id)
        .subquery()
    )


def _so_far(change: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sum(or_zero(change)).over(
        partition_by=LedgerTransaction.wallet_id, order_by=LedgerTransaction.wallet_seq
    )


def _told(figure: str) -> ColumnElement[Any]:
    return cast(LedgerTransaction.result[figure].as_string(), BigInteger)
