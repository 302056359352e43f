"""What the ledger has to tell of: credits given, running low, about to end, ended.

The daily allowance comes and goes for everybody every day and is no news.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.resets.models import CreditNewsPlace
from medici.domain.identity.owner import Owner
from medici.domain.ledger.models import (
    OPEN_GRANT,
    Account,
    Grant,
    GrantSource,
    LedgerEntry,
    LedgerTransaction,
    PostingKind,
    Wallet,
)
from medici.domain.ledger.queries import UNUSED
from medici.domain.notices.notice import NoticeType
from medici.domain.plans.queries import load_variables
from medici.domain.plans.variables import Tunable

CREDITS_LOW_THRESHOLD = Tunable(
    key="credits_low_threshold",
    default=2,
    minimum=0,
    maximum=1_000_000,
    description="A wallet that is spent below this many credits is told of as low; 0 tells nobody.",
)
TUNABLES = (CREDITS_LOW_THRESHOLD,)

AHEAD = timedelta(hours=72)
LATE = timedelta(minutes=2)  # the longest that a transaction may take from its id to its commit
STEP = timedelta(minutes=10)  # of the ledger's time that is read at once
SPENDING = (PostingKind.HOLD, PostingKind.CONSUME, PostingKind.LATE_CAPTURE)
ENDING = (PostingKind.EXPIRE, PostingKind.VOID, PostingKind.HOLD_EXPIRE)
NEWSWORTHY = Grant.source != GrantSource.PLAN_DAILY
OWNER: tuple[Any, ...] = (Wallet.owner_kind, Wallet.owner_id)
HOLDING: tuple[Any, ...] = (Wallet.available, Wallet.held)
PARCEL = (
    Grant.id.label("grant_id"),
    Grant.source,
    Grant.source_ref,
    Grant.expires_at,
)
POSTED = (
    LedgerTransaction.id,
    LedgerTransaction.at,
    LedgerTransaction.reason,
    LedgerTransaction.result["available"].as_integer().label("available"),
    LedgerTransaction.result["held"].as_integer().label("held"),
)
# The same as NEWSWORTHY, said of the transaction, so that a reset's are not looked up one by one.
NOT_DAILY = LedgerTransaction.idempotency_key.not_like(f"{GrantSource.PLAN_DAILY}:%")
AMOUNT = LedgerTransaction.result["amount"].as_integer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiding:
    """Something to be told once; ``key`` says what makes it the same. ``amount`` is in credits."""

    type: NoticeType
    key: str
    owner: Owner
    amount: int
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the ledger, by the ids of its transactions: ``(after, upto]``."""

    after: UUID
    upto: UUID
    newest: UUID

    @property
    def last(self) -> bool:
        return self.upto == self.newest


async def next_span(session: AsyncSession) -> Span | None:
    """Return the part that follows on what was told, with those before it that came in late."""
    place = (await session.get_one(CreditNewsPlace, 1)).transaction_id
    newest = await session.scalar(
        select(LedgerTransaction.id).order_by(LedgerTransaction.id.desc()).limit(1)
    )
    if newest is None:
        return None
    following = await session.scalar(
        select(LedgerTransaction.id)
        .where(LedgerTransaction.id > place)
        .order_by(LedgerTransaction.id)
        .limit(1)
    )
    return Span(
        after=_shifted(place, -LATE),
        upto=min(newest, _shifted(following or newest, STEP)),
        newest=newest,
    )


async def tidings_of(session: AsyncSession, span: Span) -> list[Tiding]:
    """Return what is told of in a part of the ledger, in the order in which it happened."""
    threshold = (await load_variables(session))[CREDITS_LOW_THRESHOLD]
    found = [
        *[(row.id, _granted(row)) for row in await session.execute(_grants(span))],
        *[(row.id, _low(row, threshold)) for row in await session.execute(_lows(span, threshold))],
        *[(row.id, _expired(row)) for row in await session.execute(_expiries(span))],
    ]
    return [tiding for _, tiding in sorted(found, key=itemgetter(0))]


async def expiring_after(
    session: AsyncSession, place: tuple[datetime, UUID], *, until: datetime, limit: int
) -> list[tuple[tuple[datetime, UUID], Tiding]]:
    """Return grants that are not spent and end after a place in time, each with its own place."""
    ends_at, grant_id = place
    ending = (
        select(*OWNER, *HOLDING, *PARCEL, UNUSED.label("amount"))
        .join(Wallet, Wallet.id == Grant.wallet_id)
        .where(
            OPEN_GRANT,
            NEWSWORTHY,
            Grant.issued_seq.is_not(None),
            UNUSED > 0,
            Grant.expires_at >= ends_at,
            Grant.expires_at <= until,
            (Grant.expires_at > ends_at) | (Grant.id > grant_id),
        )
        .order_by(Grant.expires_at, Grant.id)
        .limit(limit)
    )
    rows = await session.execute(ending)
    return [((row.expires_at, row.grant_id), _expiring(row)) for row in rows]


def _within(span: Span) -> ColumnElement[bool]:
    return and_(LedgerTransaction.id > span.after, LedgerTransaction.id <= span.upto)


def _grants(span: Span) -> Select[Any]:
    made = and_(
        Grant.wallet_id == LedgerTransaction.wallet_id,
        Grant.created_seq == LedgerTransaction.wallet_seq,
    )
    return (
        select(*OWNER, *POSTED, *PARCEL, Grant.amount)
        .join(Wallet, Wallet.id == LedgerTransaction.wallet_id)
        .join(Grant, made)
        .where(_within(span), LedgerTransaction.kind == PostingKind.GRANT, NOT_DAILY, NEWSWORTHY)
    )


def _lows(span: Span, threshold: int) -> Select[Any]:
    left = LedgerTransaction.result["available"].as_integer()
    return (
        select(*OWNER, *POSTED, Wallet.id.label("wallet_id"), AMOUNT.label("amount"))
        .join(Wallet, Wallet.id == LedgerTransaction.wallet_id)
        .where(
            _within(span),
            LedgerTransaction.kind.in_(SPENDING),
            left < threshold,
            left + AMOUNT >= threshold,
        )
    )


def _expiries(span: Span) -> Select[Any]:
    lost = and_(
        LedgerEntry.transaction_id == LedgerTransaction.id, LedgerEntry.account == Account.EXPIRED
    )
    return (
        select(*OWNER, *POSTED, *PARCEL, func.sum(LedgerEntry.amount).label("amount"))
        .join(Wallet, Wallet.id == LedgerTransaction.wallet_id)
        .join(LedgerEntry, lost)
        .join(Grant, Grant.id == LedgerEntry.grant_id)
        .where(_within(span), LedgerTransaction.kind.in_(ENDING), NEWSWORTHY)
        .group_by(Wallet.id, LedgerTransaction.id, Grant.id)
    )


def _granted(row: Any) -> Tiding:
    return _tiding(
        NoticeType.CREDITS_GRANTED,
        row,
        key=str(row.id),
        data={**_parcel(row), "reason": row.reason, "granted_at": row.at},
    )


def _low(row: Any, threshold: int) -> Tiding:
    return _tiding(
        NoticeType.CREDITS_LOW,
        row,
        key=f"{row.wallet_id}:{row.at.date()}",
        data={"threshold": threshold, "spent": int(row.amount), "crossed_at": row.at},
    )


def _expired(row: Any) -> Tiding:
    data = {**_parcel(row), "expired_at": row.at}
    return _tiding(NoticeType.CREDITS_EXPIRED, row, key=f"{row.id}:{row.grant_id}", data=data)


def _expiring(row: Any) -> Tiding:
    return _tiding(NoticeType.CREDITS_EXPIRING, row, key=str(row.grant_id), data=_parcel(row))


def _parcel(row: Any) -> dict[str, object]:
    return {
        "grant_id": str(row.grant_id),
        "source": row.source,
        "source_ref": row.source_ref,
        "amount": int(row.amount),
        "expires_at": row.expires_at,
    }


def _tiding(kind: NoticeType, row: Any, *, key: str, data: Mapping[str, object]) -> Tiding:
    owner = Owner(kind=row.owner_kind, id=row.owner_id)
    whose = {"owner_kind": owner.kind, "owner_id": owner.id, "balance": row.available}
    return Tiding(
        type=kind,
        key=key,
        owner=owner,
        amount=int(row.amount),
        data={**whose, "held": row.held, **data},
    )


def _shifted(made: UUID, by: timedelta) -> UUID:
    """Return the lowest id that is made that much later; ids begin with 48 bits of milliseconds."""
    milliseconds = (made.int >> 80) + by // timedelta(milliseconds=1)
    return UUID(int=max(milliseconds, 0) << 80)
