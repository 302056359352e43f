"""Credits set aside for work in progress: held once, ended once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import queries, rules
from medici.domain.ledger.book import Book
from medici.domain.ledger.errors import (
    CaptureExceedsHold,
    HoldAlreadyResolved,
    InsufficientCredits,
    WalletParked,
)
from medici.domain.ledger.models import (
    Account,
    Hold,
    HoldLine,
    HoldStatus,
    PostingKind,
    Wallet,
)
from medici.domain.ledger.rules import Move, Request, Slice
from medici.domain.ledger.service import posting
from medici.domain.ledger.values import Memo, Posted, Reference
from medici.kernel.ids import new_id

ENDINGS = {
    HoldStatus.CAPTURED: PostingKind.CAPTURE,
    HoldStatus.VOIDED: PostingKind.VOID,
    HoldStatus.EXPIRED: PostingKind.HOLD_EXPIRE,
}
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
    request = rules.request(wallet_id, "hold", str(reference), amount)
    if known := await posting.stored(session, request):
        return known
    book = await posting.open_book(session, wallet, now=now)
    slices = book.burn(amount)
    hold = Hold(
        id=new_id(),
        wallet_id=wallet_id,
        amount=amount,
        captured=0,
        status=HoldStatus.PENDING,
        expires_at=expires_at,
        ref_kind=reference.kind,
        ref_id=reference.id,
    )
    await _add(session, hold, slices)
    made = book.post(
        PostingKind.HOLD,
        rules.transfer(slices, Account.AVAILABLE, Account.HELD),
        memo=memo.about(reference),
        amount=amount,
        subject_id=hold.id,
        request=request,
        hold_id=hold.id,
    )
    await posting.write(session, book)
    return posting.posted(made)


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


def _reference(hold: Hold) -> Reference:
    return Reference(kind=hold.ref_kind, id=hold.ref_id)


async def _add(session: AsyncSession, hold: Hold, slices: Sequence[Slice]) -> None:
    session.add(hold)
    await session.flush()  # its lines refer to it
    session.add_all(
        HoldLine(
            hold_id=hold.id,
            grant_id=part.grant_id,
            position=position,
            amount=part.amount,
            captured=0,
        )
        for position, part in enumerate(slices)
    )


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
    request = rules.request(wallet.id, "resolve", hold.id.hex, status, captured)
    if hold.status is not HoldStatus.PENDING:
        return await _same_ending(session, hold, status, captured, request)
    book = await posting.open_book(session, wallet, now=now)
    lines = await queries.hold_lines(session, hold.id)
    spent, returned = rules.split(
        [Slice(grant_id=line.grant_id, amount=line.amount) for line in lines], captured
    )
    _record(hold, lines, status, spent)
    made = book.post(
        ENDINGS[status],
        _closing_moves(book, spent, returned),
        memo=memo.about(_reference(hold)),
        amount=captured or hold.amount,
        subject_id=hold.id,
        request=request,
        hold_id=hold.id,
    )
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


def _closing_moves(
    book: Book, spent: Sequence[Slice], returned: Sequence[Slice]
) -> tuple[Move, ...]:
    return (
        *rules.transfer(spent, Account.HELD, Account.CONSUMED),
        *rules.give_back(returned, Account.HELD, book.grants, book.now),
    )


async def _charge_late(
    session: AsyncSession, wallet: Wallet, hold: Hold, *, amount: int, memo: Memo, now: datetime
) -> Posted:
    request = rules.request(wallet.id, "late", hold.id.hex, amount)
    if known := await posting.stored(session, request):
        return known
    book = await posting.open_book(session, wallet, now=now)
    kind, moves = _late_moves(book, amount)
    made = book.post(
        kind,
        moves,
        memo=memo.about(_reference(hold)),
        amount=amount,
        subject_id=hold.id,
        request=request,
        hold_id=hold.id,
    )
    await posting.write(session, book)
    return posting.posted(made)


def _late_moves(book: Book, amount: int) -> tuple[PostingKind, tuple[Move, ...]]:
    try:
        slices = book.burn(amount)
    except (InsufficientCredits, WalletParked):
        owed = Move(
            source=Account.WRITTEN_OFF, target=Account.CONSUMED, amount=amount, grant_id=None
        )
        return PostingKind.WRITE_OFF, (owed,)
    return (
        PostingKind.LATE_CAPTURE,
        rules.transfer(slices, Account.AVAILABLE, Account.CONSUMED),
    )
