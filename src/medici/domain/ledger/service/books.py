"""The books of many wallets at once, for commands that several requests share."""

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select

from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.ledger.book import Book
from medici.domain.ledger.models import OPEN_GRANT, Grant, Hold, Wallet
from medici.domain.ledger.rules import GrantState
from medici.kernel.db.driver.bulk import BulkStatement
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.environment import Environment
from medici.kernel.ids import new_id

WALLETS = cast("Table", Wallet.__table__)
NAMES = tuple(field.name for field in fields(GrantState))
STATE = [getattr(Grant, name) for name in NAMES]

LOCK_BY_OWNER = Query(
    select(WALLETS)
    .where(
        Wallet.owner_kind == bindparam("kind"),
        any_of(Wallet.owner_id, "owners"),
        Wallet.environment == Environment.PRODUCTION,
        Wallet.asset == "credit",
    )
    .order_by(Wallet.id)
    .with_for_update()
)
HOLDING = select(Hold.wallet_id).where(any_of(Hold.id, "holds"))
LOCK_BY_HOLD = Query(
    select(WALLETS).where(Wallet.id.in_(HOLDING)).order_by(Wallet.id).with_for_update()
)
GRANTS_OF_MANY = Query(
    select(Grant.wallet_id, *STATE).where(any_of(Grant.wallet_id, "wallets"), OPEN_GRANT)
)
OPEN_WALLETS = BulkStatement(
    """
    INSERT INTO credit_wallets
        (id, owner_kind, owner_id, last_at, asset, environment, available, held, seq)
    SELECT id, owner_kind, owner_id, last_at, 'credit', 'production', 0, 0, 0 FROM {rows}
    WHERE true ON CONFLICT DO NOTHING
    """,
    {name: WALLETS.c[name] for name in ("id", "owner_kind", "owner_id", "last_at")},
)


async def open_books(
    driver: Driver, *, kind: OwnerKind, owner_ids: Collection[str], now: datetime
) -> dict[str, Book]:
    """Lock the owners' wallets and open their books; who has no wallet yet gets an empty one."""
    found = await _locked(driver, kind, owner_ids, now)
    if missing := sorted(set(owner_ids) - found.keys()):
        await _open_wallets(driver, [Owner(kind=kind, id=each) for each in missing], now)
        found |= await _locked(driver, kind, missing, now)
    await _open(driver, list(found.values()))
    return found


async def open_books_of_holds(
    driver: Driver, *, hold_ids: Collection[UUID], now: datetime
) -> dict[UUID, Book]:
    """Lock the wallets that holds belong to and open their books, by the wallet's id."""
    rows = await LOCK_BY_HOLD.rows(driver, holds=hold_ids)
    books = {row.id: _book(row, now) for row in rows}
    await _open(driver, list(books.values()))
    return books


async def _open(driver: Driver, books: list[Book]) -> None:
    if not books:
        return
    await _add_grants(driver, books)
    for book in books:
        book.settle()


async def _locked(
    driver: Driver, kind: OwnerKind, owner_ids: Collection[str], now: datetime
) -> dict[str, Book]:
    rows = await LOCK_BY_OWNER.rows(driver, kind=kind, owners=owner_ids)
    return {row.owner_id: _book(row, now) for row in rows}


def _book(row: Any, now: datetime) -> Book:
    return Book(
        wallet_id=row.id,
        available=row.available,
        held=row.held,
        seq=row.seq,
        # A wallet's clock never goes back.
        now=max(now, row.last_at),
        parked=row.parked_at is not None,
        grants={},
        new_id=new_id,
    )


async def _open_wallets(driver: Driver, owners: list[Owner], now: datetime) -> None:
    rows = [(new_id(), owner.kind, owner.id, now) for owner in owners]
    await OPEN_WALLETS.run(driver, rows)


async def _add_grants(driver: Driver, books: list[Book]) -> None:
    by_wallet: dict[UUID, Book] = {book.wallet_id: book for book in books}
    for wallet_id, *state in await GRANTS_OF_MANY.rows(driver, wallets=by_wallet.keys()):
        grant = GrantState(**dict(zip(NAMES, state, strict=True)))
        by_wallet[wallet_id].grants[grant.id] = grant
