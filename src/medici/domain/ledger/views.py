"""What is shown of a wallet: its balance and its history. Reads alone, without a lock."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import queries, rules
from medici.domain.ledger.errors import WalletNotFound
from medici.domain.ledger.models import Account, LedgerEntry, LedgerTransaction, PostingKind, Wallet
from medici.domain.ledger.rules import GrantState
from medici.domain.ledger.values import (
    Balance,
    Expiring,
    GrantBalance,
    HistoryItem,
    HistoryPage,
)

MAX_PAGE = 200


async def balance(session: AsyncSession, *, wallet_id: UUID, now: datetime) -> Balance:
    """Return what the wallet holds at ``now``, counting grants as time has left them.

    Nothing is written: what is due counts here at once and is booked at the next touch.
    """
    wallet = await session.get(Wallet, wallet_id, populate_existing=True)
    if wallet is None:
        raise WalletNotFound(f"no wallet {wallet_id}")
    moment = max(now, wallet.last_at)
    grants = rules.in_burn_order(await queries.open_grants(session, wallet_id))
    spendable = [(grant, grant.spendable(moment)) for grant in grants]
    return Balance(
        wallet_id=wallet_id,
        available=sum(free for _, free in spendable),
        held=wallet.held,
        next_expiry=_next_expiry(spendable),
        grants=tuple(_shown(grant, free) for grant, free in spendable if free or grant.held),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """Which transactions to show: all, unless kinds are named; those in ``[since, until)``."""

    kinds: Collection[PostingKind] = ()
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.kinds:
            yield LedgerTransaction.kind.in_(self.kinds)
        if self.since is not None:
            yield LedgerTransaction.at >= self.since
        if self.until is not None:
            yield LedgerTransaction.at < self.until


EVERYTHING = HistoryFilter()


async def history(
    session: AsyncSession,
    *,
    wallet_id: UUID,
    before: int | None = None,
    limit: int = 50,
    only: HistoryFilter = EVERYTHING,
) -> HistoryPage:
    """Return a wallet's transactions, newest first; ``before`` is the last page's cursor."""
    size = min(max(limit, 1), MAX_PAGE)
    statement = (
        select(LedgerTransaction)
        .where(LedgerTransaction.wallet_id == wallet_id, *only.conditions())
        .order_by(LedgerTransaction.wallet_seq.desc())
        .limit(size + 1)
    )
    if before is not None:
        statement = statement.where(LedgerTransaction.wallet_seq < before)
    found = list(await session.scalars(statement))
    page = found[:size]
    changes = await _changes(session, [transaction.id for transaction in page])
    return HistoryPage(
        items=tuple(_item(transaction, changes) for transaction in page),
        before=page[-1].wallet_seq if len(found) > size else None,
    )


Changes = dict[tuple[UUID, Account], int]


async def _changes(session: AsyncSession, transaction_ids: Iterable[UUID]) -> Changes:
    rows = await session.execute(
        select(LedgerEntry.transaction_id, LedgerEntry.account, LedgerEntry.amount).where(
            LedgerEntry.transaction_id.in_(list(transaction_ids))
        )
    )
    changes: Changes = defaultdict(int)
    for transaction_id, account, amount in rows:
        changes[transaction_id, account] += amount
    return changes


def _item(transaction: LedgerTransaction, changes: Changes) -> HistoryItem:
    return HistoryItem(
        transaction_id=transaction.id,
        seq=transaction.wallet_seq,
        kind=transaction.kind,
        available_change=changes.get((transaction.id, Account.AVAILABLE), 0),
        held_change=changes.get((transaction.id, Account.HELD), 0),
        available=cast("int", transaction.result["available"]),
        held=cast("int", transaction.result["held"]),
        actor=transaction.actor,
        reason=transaction.reason,
        ref=transaction.ref,
        at=transaction.at,
    )


def _next_expiry(spendable: Iterable[tuple[GrantState, int]]) -> Expiring | None:
    by_time: dict[datetime, int] = defaultdict(int)
    for grant, free in spendable:
        if free and grant.expires_at:
            by_time[grant.expires_at] += free
    if not by_time:
        return None
    first = min(by_time)
    return Expiring(at=first, amount=by_time[first])


def _shown(grant: GrantState, free: int) -> GrantBalance:
    return GrantBalance(
        id=grant.id,
        source=grant.source,
        source_ref=grant.source_ref,
        category=grant.category,
        amount=grant.amount,
        free=free,
        held=grant.held,
        expires_at=grant.expires_at,
    )
