"""The books of many wallets at once, for commands that several requests share."""

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.ledger.book import Book
from medici.domain.ledger.models import OPEN_GRANT, Environment, Grant, Wallet
from medici.domain.ledger.rules import GrantState
from medici.kernel.db.inserts import insert_into
from medici.kernel.db.padding import padded
from medici.kernel.ids import new_id

WALLETS = cast("Table", Wallet.__table__)
STATE = [getattr(Grant, field.name) for field in fields(GrantState)]

LOCK_BY_OWNER = (
    select(WALLETS)
    .where(
        Wallet.owner_kind == bindparam("kind"),
        Wallet.owner_id.in_(bindparam("owners", expanding=True)),
        Wallet.environment == Environment.PRODUCTION,
        Wallet.asset == "credit",
    )
    .order_by(Wallet.id)
    .with_for_update()
)
GRANTS_OF_MANY = select(Grant.wallet_id, *STATE).where(
    Grant.wallet_id.in_(bindparam("wallets", expanding=True)), OPEN_GRANT
)


async def open_books(
    session: AsyncSession, *, kind: OwnerKind, owner_ids: Collection[str], now: datetime
) -> dict[str, Book]:
    """Lock the owners' wallets and open their books; who has no wallet yet gets an empty one."""
    found = await _locked(session, kind, owner_ids, now)
    if missing := sorted(set(owner_ids) - found.keys()):
        await _open_wallets(session, [Owner(kind=kind, id=each) for each in missing], now)
        found |= await _locked(session, kind, missing, now)
    if not found:
        return found
    await _add_grants(session, list(found.values()))
    for book in found.values():
        book.settle()
    return found


async def _locked(
    session: AsyncSession, kind: OwnerKind, owner_ids: Collection[str], now: datetime
) -> dict[str, Book]:
    rows = await session.execute(LOCK_BY_OWNER, {"kind": kind, "owners": padded(owner_ids)})
    return {
        row.owner_id: Book(
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
        for row in rows
    }


async def _open_wallets(session: AsyncSession, owners: list[Owner], now: datetime) -> None:
    rows = [
        {
            "id": new_id(),
            "owner_kind": owner.kind,
            "owner_id": owner.id,
            "asset": "credit",
            "environment": Environment.PRODUCTION,
            "available": 0,
            "held": 0,
            "seq": 0,
            "last_at": now,
        }
        for owner in owners
    ]
    await session.execute(insert_into(session, Wallet).values(rows).on_conflict_do_nothing())


async def _add_grants(session: AsyncSession, books: list[Book]) -> None:
    by_wallet: dict[UUID, Book] = {book.wallet_id: book for book in books}
    rows = await session.execute(GRANTS_OF_MANY, {"wallets": padded(by_wallet)})
    for row in rows.mappings():
        state = dict(row)
        grant = GrantState(**{name: state[name] for name in state if name != "wallet_id"})
        by_wallet[row["wallet_id"]].grants[grant.id] = grant
