"""Where credits came from and where they went, for their owner and, in full, for operators."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from medici.domain.identity.owner import Owner
from medici.domain.ledger import history, views
from medici.domain.ledger.models import PostingKind, Wallet
from medici.domain.ledger.queries import wallet_by_owner
from medici.domain.ledger.values import HistoryPage
from medici.domain.ledger.views import HistoryFilter
from medici.doors.http.auth import CurrentUser, Operator, OwnerOrOperator
from medici.doors.http.context import AppResources, Now
from medici.doors.http.paging import Cursor, InvalidCursor, Limit, decode_cursor, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.auth import UserId
from medici.doors.studio.wallets.history_csv import ledger_csv
from medici.doors.studio.wallets.history_schemas import (
    FullTransactionOut,
    HistoryOut,
    LedgerOut,
    OutstandingOut,
    SummaryOut,
    TransactionOut,
    TurnoverOut,
)

A_MONTH = timedelta(days=30)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
LARGEST_SEQ = 2**63 - 1

router = APIRouter(prefix="/v1", tags=["credit history"])

Kinds = Annotated[list[PostingKind], Query(alias="kind", max_length=len(PostingKind))]
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
Since = Annotated[Moment | None, Query(alias="from", description="The first moment.")]
Until = Annotated[Moment | None, Query(alias="to", description="The first one no more.")]
OfUser = Annotated[UserId, Query()]


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
    if not isinstance(seq, int) or not 0 <= seq <= LARGEST_SEQ:
        raise InvalidCursor
    return seq


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
