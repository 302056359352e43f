"""Charging for finished work, many holds at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select

from medici.domain.ledger import decisions
from medici.domain.ledger.book import Book
from medici.domain.ledger.decisions import HeldCredits
from medici.domain.ledger.errors import HoldAlreadyResolved
from medici.domain.ledger.models import Hold, HoldLine, HoldStatus
from medici.domain.ledger.rules import Slice
from medici.domain.ledger.service import posting
from medici.domain.ledger.service.books import open_books_of_holds
from medici.domain.ledger.values import Memo, Reference
from medici.kernel.db.driver.bulk import BulkStatement, BulkUpdate
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver

HOLDS = Query(
    select(Hold.id, Hold.wallet_id, Hold.amount, Hold.status, Hold.ref_kind, Hold.ref_id).where(
        any_of(Hold.id, "holds")
    )
)
LINES = Query(
    select(HoldLine.hold_id, HoldLine.grant_id, HoldLine.amount)
    .where(any_of(HoldLine.hold_id, "holds"))
    .order_by(HoldLine.position)
)
UPDATE_HOLDS = BulkUpdate(cast("Table", Hold.__table__), ("status", "captured"))
LINE_COLUMNS = cast("Table", HoldLine.__table__).c
UPDATE_LINES = BulkStatement(
    """
    UPDATE credit_hold_lines SET captured = given.captured FROM {rows}
    WHERE credit_hold_lines.hold_id = given.hold_id AND credit_hold_lines.grant_id = given.grant_id
    """,
    {
        "hold_id": LINE_COLUMNS.hold_id,
        "grant_id": LINE_COLUMNS.grant_id,
        "captured": LINE_COLUMNS.captured,
    },
)


@dataclass(frozen=True, slots=True)
class Charge:
    """A hold to be charged whole."""

    hold_id: UUID
    memo: Memo


async def settle_holds(driver: Driver, charges: Sequence[Charge], *, now: datetime) -> None:
    """Do for many holds what ``settle_hold`` does for one; none of them has been settled yet.

    Raises:
        HoldAlreadyResolved: one of them was captured or voided; nothing is written.
    """
    if not charges:
        return
    ids = [charge.hold_id for charge in charges]
    books = await open_books_of_holds(driver, hold_ids=ids, now=now)
    rows = {row.id: row for row in await HOLDS.rows(driver, holds=ids)}
    slices = await _slices(driver, ids)
    spent: dict[UUID, Sequence[Slice]] = {}
    for charge in charges:
        row = rows[charge.hold_id]
        held = _held(row, slices[row.id])
        if taken := _charged(books[row.wallet_id], row, held, charge.memo):
            spent[row.id] = taken
    await posting.write_grants(driver, list(books.values()))
    await _write(driver, spent)
    await posting.write_postings(driver, list(books.values()))


def _charged(book: Book, row: Any, held: HeldCredits, memo: Memo) -> Sequence[Slice]:
    """Post the charge of one hold; return what it takes out of the hold itself."""
    if row.status is HoldStatus.EXPIRED:
        decisions.charge_late(book, held, held.amount, memo)
        return ()
    if row.status is not HoldStatus.PENDING:
        raise HoldAlreadyResolved(row.status)
    _, spent = decisions.resolve(book, held, HoldStatus.CAPTURED, held.amount, memo)
    return spent


async def _slices(driver: Driver, hold_ids: Sequence[UUID]) -> dict[UUID, tuple[Slice, ...]]:
    slices: dict[UUID, tuple[Slice, ...]] = defaultdict(tuple)
    for row in await LINES.rows(driver, holds=hold_ids):
        slices[row.hold_id] += (Slice(grant_id=row.grant_id, amount=row.amount),)
    return slices


def _held(row: Any, slices: tuple[Slice, ...]) -> HeldCredits:
    return HeldCredits(
        id=row.id,
        amount=row.amount,
        reference=Reference(kind=row.ref_kind, id=row.ref_id),
        slices=slices,
    )


async def _write(driver: Driver, spent: dict[UUID, Sequence[Slice]]) -> None:
    await UPDATE_HOLDS.write(
        driver,
        [
            (hold_id, HoldStatus.CAPTURED, sum(part.amount for part in parts))
            for hold_id, parts in spent.items()
        ],
    )
    await UPDATE_LINES.run(
        driver,
        [
            (hold_id, part.grant_id, part.amount)
            for hold_id, parts in spent.items()
            for part in parts
        ],
    )
