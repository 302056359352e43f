"""Where credits came from and where they went, for their owner and, in full, for operators."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from medici.domain.identity.owner import Owner
from medici.domain.ledger import history, views
from medici.domain.ledger.history import Line, Particulars
from medici.domain.ledger.models import (
    Account,
    GrantSource,
    HoldStatus,
    PostingKind,
    Wallet,
)
from medici.domain.ledger.queries import wallet_by_owner
from medici.domain.ledger.values import HistoryItem, HistoryPage
from medici.domain.ledger.views import HistoryFilter
from medici.doors.http.auth import CurrentUser, Operator, OwnerOrOperator
from medici.doors.http.context import AppResources, Now
from medici.doors.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.auth import UserId
from medici.doors.studio.credit_history_csv import ledger_csv

A_MONTH = timedelta(days=30)

router = APIRouter(prefix="/v1", tags=["credit history"])

Kinds = Annotated[list[PostingKind], Query(alias="kind", max_length=len(PostingKind))]
Since = Annotated[AwareDatetime | None, Query(alias="from", description="The first moment.")]
Until = Annotated[AwareDatetime | None, Query(alias="to", description="The first one no more.")]
OfUser = Annotated[UserId, Query()]


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


async def _filter(
    kinds: Kinds = [],  # noqa: B006 - FastAPI's way to say none
    since: Since = None,
    until: Until = None,
) -> HistoryFilter:
    return HistoryFilter(kinds=kinds, since=since, until=until)


async def _before(cursor: Cursor = None) -> int | None:
    if cursor is None:
        return None
    (seq,) = decode_cursor(cursor, int)
    return int(seq or 0)


Only = Annotated[HistoryFilter, Depends(_filter)]
Before = Annotated[int | None, Depends(_before)]


@router.get("/credits/history/me")
async def my_history(
    user: CurrentUser, session: ReadSession, only: Only, before: Before, limit: Limit = 50
) -> HistoryOut:
    """List what happened to one's own credits. ``kind`` may be given several times."""
    return await _history(session, user.id, only, before, limit)


@router.get("/credits/history/{user_id}")
async def history_of(
    user_id: UserId,
    caller: OwnerOrOperator,
    session: ReadSession,
    only: Only,
    before: Before,
    limit: Limit = 50,
) -> HistoryOut:
    """List what happened to a user's credits, for that user or an operator."""
    return await _history(session, caller.acts_for(user_id), only, before, limit)


@router.get("/admin/credits/ledger")
async def ledger(
    _operator: Operator,
    user_id: OfUser,
    session: ReadSession,
    only: Only,
    before: Before,
    limit: Limit = 50,
) -> LedgerOut:
    """List a user's transactions with who caused them, every entry, and the hold concerned."""
    wallet = await wallet_by_owner(session, owner=Owner.user(user_id))
    page = await _page(session, wallet, only, before, limit)
    ids = [item.transaction_id for item in page.items]
    lines = await history.lines_of(session, ids)
    more = await history.particulars_of(session, ids)
    return LedgerOut(
        user_id=user_id,
        wallet_id=wallet.id if wallet else None,
        parked_at=wallet.parked_at if wallet else None,
        transactions=[
            FullTransactionOut.of(item, lines[item.transaction_id], more[item.transaction_id])
            for item in page.items
        ],
        next_cursor=_cursor(page),
    )


@router.get("/admin/credits/ledger.csv", response_class=StreamingResponse)
async def ledger_as_csv(
    _operator: Operator, user_id: OfUser, resources: AppResources, only: Only
) -> StreamingResponse:
    """Download a user's transactions, newest first, the first 100,000 of them.

    A text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    return StreamingResponse(
        ledger_csv(resources.database.reading, Owner.user(user_id), only),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="ledger.csv"'},
    )


@router.get("/admin/credits/summary")
async def summary(
    _operator: Operator, session: ReadSession, now: Now, since: Since = None, until: Until = None
) -> SummaryOut:
    """Tell what was given, spent and lost in a time, the last 30 days unless told otherwise."""
    end = until or now
    begin = since or end - A_MONTH
    turnover = await history.turnover(session, since=begin, until=end)
    outstanding = await history.outstanding(session)
    return SummaryOut(
        since=begin,
        until=end,
        outstanding=OutstandingOut.model_validate(outstanding, from_attributes=True),
        **TurnoverOut.model_validate(turnover, from_attributes=True).model_dump(),
    )


async def _history(
    session: AsyncSession, user_id: str, only: HistoryFilter, before: int | None, limit: int
) -> HistoryOut:
    wallet = await wallet_by_owner(session, owner=Owner.user(user_id))
    page = await _page(session, wallet, only, before, limit)
    lines = await history.lines_of(session, [item.transaction_id for item in page.items])
    return HistoryOut(
        user_id=user_id,
        transactions=[TransactionOut.of(item, lines[item.transaction_id]) for item in page.items],
        next_cursor=_cursor(page),
    )


async def _page(
    session: AsyncSession,
    wallet: Wallet | None,
    only: HistoryFilter,
    before: int | None,
    limit: int,
) -> HistoryPage:
    if wallet is None:
        return HistoryPage(items=(), before=None)
    return await views.history(session, wallet_id=wallet.id, before=before, limit=limit, only=only)


def _cursor(page: HistoryPage) -> str | None:
    return encode_cursor(page.before) if page.before is not None else None


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
