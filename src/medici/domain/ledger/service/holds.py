"""Credits set aside for work in progress: held once, ended once."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import decisions, queries, rules
from medici.domain.ledger.book import Book
from medici.domain.ledger.decisions import HeldCredits, NewHold
from medici.domain.ledger.errors import (
    CaptureExceedsHold,
    HoldAlreadyResolved,
)
from medici.domain.ledger.models import (
    Hold,
    HoldLine,
    HoldStatus,
    Wallet,
)
from medici.domain.ledger.rules import Request, Slice
from medici.domain.ledger.service import posting
from medici.domain.ledger.values import Memo, Posted, Reference
from medici.kernel.db.driver.bulk import BulkInsert
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver

INSERT_HOLDS = BulkInsert(cast("Table", Hold.__table__))
INSERT_LINES = BulkInsert(cast("Table", HoldLine.__table__))
OVERDUE = Memo(actor="system", reason="hold_overdue")


async def place_hold(
    session: AsyncSession,
    *,
    wallet_id: UUID,
    amount: int,
    reference: Reference,
    expires_at: datetime,
    memo: Memo,
    now: datetime,
) -> Posted:
    """Set credits aside for work that has not happened yet; ``subject_id`` is the hold.

    The same ``reference`` always means the same hold, so a retried request cannot reserve twice.
    An overdue hold is expired by the sweep.

    Raises:
        InsufficientCredits: the available credits do not cover ``amount``.
        WalletParked: nothing can be spent from this wallet now.
        IdempotencyKeyReused: the reference already holds another amount.
    """
    rules.require_amount(amount)
    wallet = await queries.locked_wallet(session, wallet_id)
    request = decisions.hold_request(wallet_id, reference, amount)
    if known := await posting.stored(session, request):
        return known
    book = await posting.open_book(session, wallet, now=now)
    hold = decisions.hold(book, amount, reference, expires_at, memo)
    await write_holds(await driver_of(session), [book], [hold])
    return posting.posted(book.postings[-1])


async def write_holds(driver: Driver, books: Sequence[Book], placed: Sequence[NewHold]) -> None:
    """Write books with the holds that were placed on them."""
    await posting.write_grants(driver, books)
    await INSERT_HOLDS.write(driver, [_row(hold) for hold in placed])
    await INSERT_LINES.write(driver, [line for hold in placed for line in _lines(hold)])
    await posting.write_postings(driver, books)


async def capture_hold(
    session: AsyncSession,
    *,
    hold_id: UUID,
    memo: Memo,
    now: datetime,
    amount: int | None = None,
) -> Posted:
    """Spend what was held, or its first ``amount`` credits; the rest goes back.

    Raises:
        CaptureExceedsHold: more than was held; take a second hold instead.
        HoldAlreadyResolved: it was voided, has expired, or was captured with another amount.
    """
    wallet, hold = await queries.locked_hold(session, hold_id)
    wanted = _wanted(hold, amount)
    return await _end(
        session, wallet, hold, status=HoldStatus.CAPTURED, captured=wanted, memo=memo, now=now
    )


async def void_hold(session: AsyncSession, *, hold_id: UUID, memo: Memo, now: datetime) -> Posted:
    """Give back what was held; what belongs to a grant that has ended meanwhile expires.

    Raises:
        HoldAlreadyResolved: it was captured or has expired.
    """
    wallet, hold = await queries.locked_hold(session, hold_id)
    return await _end(
        session, wallet, hold, status=HoldStatus.VOIDED, captured=0, memo=memo, now=now
    )


async def expire_hold(session: AsyncSession, *, hold_id: UUID, now: datetime) -> Posted | None:
    """End a hold whose time is over; None while it is not, or where it has ended otherwise."""
    wallet, hold = await queries.locked_hold(session, hold_id)
    overdue = hold.expires_at <= max(now, wallet.last_at)
    if not overdue or hold.status in {HoldStatus.CAPTURED, HoldStatus.VOIDED}:
        return None
    return await _end(
        session, wallet, hold, status=HoldStatus.EXPIRED, captured=0, memo=OVERDUE, now=now
    )


async def settle_hold(
    session: AsyncSession,
    *,
    hold_id: UUID,
    memo: Memo,
    now: datetime,
    amount: int | None = None,
) -> Posted:
    """Charge for finished work, however late.

    A pending hold is captured. If it has expired, the credits are consumed afresh; if the wallet
    cannot pay any more, they are written off: the work is delivered and nobody's balance falls
    below zero. ``kind`` of the answer says which.

    Raises:
        CaptureExceedsHold: more than was held.
        HoldAlreadyResolved: it was voided, or captured with another amount.
    """
    wallet, hold = await queries.locked_hold(session, hold_id)
    wanted = _wanted(hold, amount)
    if hold.status is not HoldStatus.EXPIRED:
        return await _end(
            session, wallet, hold, status=HoldStatus.CAPTURED, captured=wanted, memo=memo, now=now
        )
    return await _charge_late(session, wallet, hold, amount=wanted, memo=memo, now=now)


def _wanted(hold: Hold, amount: int | None) -> int:
    wanted = hold.amount if amount is None else amount
    rules.require_amount(wanted)
    if wanted > hold.amount:
        raise CaptureExceedsHold(f"{wanted} credits asked for, {hold.amount} held")
    return wanted


def _row(hold: NewHold) -> tuple[object, ...]:
    """Return the values of a new hold, in the order of the table's columns."""
    return (
        hold.id,
        hold.wallet_id,
        hold.amount,
        0,
        HoldStatus.PENDING,
        hold.expires_at,
        hold.reference.kind,
        hold.reference.id,
    )


def _lines(hold: NewHold) -> list[tuple[object, ...]]:
    """Return the values of its lines, in the order of the table's columns."""
    return [
        (hold.id, part.grant_id, position, part.amount, 0)
        for position, part in enumerate(hold.slices)
    ]


async def _end(
    session: AsyncSession,
    wallet: Wallet,
    hold: Hold,
    *,
    status: HoldStatus,
    captured: int,
    memo: Memo,
    now: datetime,
) -> Posted:
    request = decisions.resolve_request(wallet.id, hold.id, status, captured)
    if hold.status is not HoldStatus.PENDING:
        return await _same_ending(session, hold, status, captured, request)
    book = await posting.open_book(session, wallet, now=now)
    lines = await queries.hold_lines(session, hold.id)
    made, spent = decisions.resolve(book, _held(hold, lines), status, captured, memo)
    _record(hold, lines, status, spent)
    await posting.write(session, book)
    return posting.posted(made)


async def _same_ending(
    session: AsyncSession, hold: Hold, status: HoldStatus, captured: int, request: Request
) -> Posted:
    if (hold.status, hold.captured) != (status, captured):
        raise HoldAlreadyResolved(hold.status)
    known = await posting.stored(session, request)
    if known is None:
        raise HoldAlreadyResolved(hold.status)
    return known


def _record(
    hold: Hold, lines: Sequence[HoldLine], status: HoldStatus, spent: Sequence[Slice]
) -> None:
    hold.status = status
    hold.captured = rules.total(spent)
    by_grant = {part.grant_id: part.amount for part in spent}
    for line in lines:
        line.captured = by_grant.get(line.grant_id, 0)


async def _charge_late(
    session: AsyncSession, wallet: Wallet, hold: Hold, *, amount: int, memo: Memo, now: datetime
) -> Posted:
    request = decisions.late_request(wallet.id, hold.id, amount)
    if known := await posting.stored(session, request):
        return known
    book = await posting.open_book(session, wallet, now=now)
    made = decisions.charge_late(book, _held(hold, ()), amount, memo)
    await posting.write(session, book)
    return posting.posted(made)


def _held(hold: Hold, lines: Sequence[HoldLine]) -> HeldCredits:
    return HeldCredits(
        id=hold.id,
        amount=hold.amount,
        reference=Reference(kind=hold.ref_kind, id=hold.ref_id),
        slices=tuple(Slice(grant_id=line.grant_id, amount=line.amount) for line in lines),
    )
