"""L15: no posting passed over a grant that was free and came earlier in burn order."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger.models import (
    Account,
    Grant,
    LedgerEntry,
    LedgerTransaction,
    PostingKind,
)
from medici.domain.ledger.rules import BurnOrder, burn_order

SPENDING = frozenset(
    {PostingKind.CONSUME, PostingKind.HOLD, PostingKind.LATE_CAPTURE, PostingKind.ADJUST}
)
CHUNK = 1000  # rows read at once

Line = Row[Any]


@dataclass(slots=True)
class Free:
    """What each grant of a wallet has free, transaction by transaction."""

    amounts: dict[UUID, int] = field(default_factory=dict)
    orders: dict[UUID, BurnOrder] = field(default_factory=dict)

    def take_in(self, lines: Sequence[Line]) -> list[UUID]:
        """Apply one transaction and return the grants that an earlier one should have spared."""
        for line in lines:
            self._apply(line)
        taken = [self.orders[line.grant_id] for line in lines if line.amount < 0]
        if not taken or lines[0].kind not in SPENDING:
            return []
        return [grant_id for grant_id in self.amounts if self.orders[grant_id] < max(taken)]

    def _apply(self, line: Line) -> None:
        self.orders.setdefault(line.grant_id, _order(line))
        amount = self.amounts.pop(line.grant_id, 0) + line.amount
        if amount:
            self.amounts[line.grant_id] = amount


async def out_of_order(
    session: AsyncSession, *, wallet_id: UUID | None, limit: int
) -> list[tuple[UUID, str]]:
    """Return up to ``limit`` postings that passed over a grant which was free and came earlier."""
    found: list[tuple[UUID, str]] = []
    free, current = Free(), None
    async for lines in _transactions(session, wallet_id):
        if lines[0].wallet_id != current:
            free, current = Free(), lines[0].wallet_id
        found += [
            (lines[0].wallet_id, f"wallet_seq {lines[0].wallet_seq}, grant {grant_id}")
            for grant_id in free.take_in(lines)
        ]
    return found[:limit]


async def _transactions(session: AsyncSession, wallet_id: UUID | None) -> AsyncIterator[list[Line]]:
    lines: list[Line] = []
    async for line in await session.stream(_history(wallet_id)):
        if lines and line.transaction_id != lines[0].transaction_id:
            yield lines
            lines = []
        lines.append(line)
    if lines:
        yield lines


def _history(wallet_id: UUID | None) -> Select[*tuple[Any, ...]]:
    statement = (
        select(
            LedgerTransaction.wallet_id,
            LedgerTransaction.wallet_seq,
            LedgerTransaction.kind,
            LedgerEntry.transaction_id,
            LedgerEntry.grant_id,
            LedgerEntry.amount,
            Grant.priority,
            Grant.expires_at,
            Grant.category,
            Grant.created_seq,
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(Grant, Grant.id == LedgerEntry.grant_id)
        .where(LedgerEntry.account == Account.AVAILABLE)
        .order_by(LedgerTransaction.wallet_id, LedgerTransaction.wallet_seq, LedgerEntry.line)
        .execution_options(yield_per=CHUNK)
    )
    return (
        statement
        if wallet_id is None
        else statement.where(LedgerTransaction.wallet_id == wallet_id)
    )


def _order(line: Line) -> BurnOrder:
    return burn_order(
        priority=line.priority,
        expires_at=line.expires_at,
        category=line.category,
        created_seq=line.created_seq,
        grant_id=line.grant_id,
    )
