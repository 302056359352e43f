"""What the routes of a credit history answer with."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from medici.domain.ledger.history import Line, Particulars
from medici.domain.ledger.models import Account, GrantSource, HoldStatus, PostingKind
from medici.domain.ledger.values import HistoryItem


class MovedOut(BaseModel):
    """Credits of one grant that moved; ``amount`` is positive where they came in."""

    source: GrantSource
    amount: int
    expires_at: datetime | None


class TransactionOut(BaseModel):
    """One transaction of a wallet.

    ``amount`` is what it did to the credits that can be spent, ``balance_after`` what could be
    spent after it; ``held_change`` and ``held_after`` are the same for those reserved. ``grants``
    says which credits moved, and ``source`` where they were from if from one source alone.
    """

    id: UUID
    at: datetime
    kind: PostingKind
    amount: int
    balance_after: int
    held_change: int
    held_after: int
    reason: str
    ref: str | None
    source: GrantSource | None
    grants: list[MovedOut]

    @classmethod
    def of(cls, item: HistoryItem, lines: Iterable[Line]) -> "TransactionOut":
        grants = _moved(list(lines))
        sources = {grant.source for grant in grants}
        return cls(
            id=item.transaction_id,
            at=item.at,
            kind=item.kind,
            amount=item.available_change,
            balance_after=item.available,
            held_change=item.held_change,
            held_after=item.held,
            reason=item.reason,
            ref=item.ref,
            source=sources.pop() if len(sources) == 1 else None,
            grants=grants,
        )


class HistoryOut(BaseModel):
    """Newest first; ``next_cursor`` is null on the last page."""

    user_id: str
    transactions: list[TransactionOut]
    next_cursor: str | None


class EntryOut(BaseModel):
    """One line of a transaction; all of them sum to zero."""

    account: Account
    amount: int
    grant_id: UUID | None
    source: GrantSource | None
    source_ref: str | None


class HoldOut(BaseModel):
    """The hold that a transaction placed or ended, as it stands now."""

    id: UUID
    status: HoldStatus
    amount: int
    captured: int
    expires_at: datetime


class RequestOut(BaseModel):
    """What makes a request the same again; nulls where nobody asked, as when time ends a grant."""

    scope: str | None
    key: str | None
    fingerprint: str | None


class FullTransactionOut(BaseModel):
    """A transaction with all that is stored of it. ``seq`` numbers a wallet's without a gap."""

    transaction: TransactionOut
    seq: int
    actor: str
    idempotency: RequestOut
    reverses: UUID | None
    hold: HoldOut | None
    entries: list[EntryOut]

    @classmethod
    def of(cls, item: HistoryItem, lines: list[Line], more: Particulars) -> "FullTransactionOut":
        return cls(
            transaction=TransactionOut.of(item, lines),
            seq=item.seq,
            actor=item.actor,
            idempotency=RequestOut(
                scope=more.scope, key=more.idempotency_key, fingerprint=more.fingerprint
            ),
            reverses=more.reverses,
            hold=HoldOut.model_validate(more.hold, from_attributes=True) if more.hold else None,
            entries=[EntryOut.model_validate(line, from_attributes=True) for line in lines],
        )


class LedgerOut(BaseModel):
    """A user's wallet, nulls where they have none, and its transactions, newest first."""

    user_id: str
    wallet_id: UUID | None
    parked_at: datetime | None
    transactions: list[FullTransactionOut]
    next_cursor: str | None


class OutstandingOut(BaseModel):
    """What can still be spent or is reserved, over all wallets, at this moment."""

    available: int
    held: int
    wallet_count: int
    parked_count: int


class TurnoverOut(BaseModel):
    """What all wallets were given, spent and lost.

    ``consumed`` is less what was refunded. ``written_off`` was delivered and could not be paid.
    """

    granted: int
    granted_by_source: dict[GrantSource, int]
    consumed: int
    expired: int
    revoked: int
    adjusted: int
    written_off: int


class SummaryOut(TurnoverOut):
    """The turnover from ``since`` until ``until``, and what is outstanding now."""

    since: datetime
    until: datetime
    outstanding: OutstandingOut


def _moved(lines: list[Line]) -> list[MovedOut]:
    """Add up by grant what came to and left the credits that can be spent.

    Where none of these moved, as when all that was held is spent, add up what left those held.
    """
    on = [line for line in lines if line.account is Account.AVAILABLE]
    on = on or [line for line in lines if line.account is Account.HELD]
    amounts: dict[UUID, int] = defaultdict(int)
    for line in on:
        if line.grant_id is not None:
            amounts[line.grant_id] += line.amount
    by_grant = {line.grant_id: line for line in on}
    return [
        MovedOut(source=source, amount=amount, expires_at=by_grant[grant_id].expires_at)
        for grant_id, amount in amounts.items()
        if (source := by_grant[grant_id].source) is not None and amount
    ]
