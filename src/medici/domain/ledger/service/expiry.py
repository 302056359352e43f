"""What time does to wallets: exact whenever one is touched, and swept for the others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import queries
from medici.domain.ledger.errors import BooksDoNotBalance
from medici.domain.ledger.service import posting
from medici.domain.ledger.service.holds import expire_hold
from medici.domain.ledger.service.wallets import park_wallet

BATCH = 50  # wallets that one transaction of a sweep locks


async def settle_wallet(session: AsyncSession, *, wallet_id: UUID, now: datetime) -> None:
    """Book the grants of one wallet that have begun or ended by now."""
    wallet = await queries.locked_wallet(session, wallet_id)
    await posting.write(session, await posting.open_book(session, wallet, now=now))


async def expire_due_grants(session: AsyncSession, *, now: datetime, limit: int = BATCH) -> int:
    """Settle the next wallets whose grants are due; fewer than ``limit`` were the last ones."""
    due = await queries.due_wallets(session, now=now, limit=limit)
    for wallet_id in due:
        async with _parked_if_broken(session, now):
            await settle_wallet(session, wallet_id=wallet_id, now=now)
    return len(due)


async def expire_overdue_holds(session: AsyncSession, *, now: datetime, limit: int = BATCH) -> int:
    """End the next holds whose time is over; fewer than ``limit`` were the last ones."""
    due = await queries.overdue_holds(session, now=now, limit=limit)
    for hold in due:
        async with _parked_if_broken(session, now):
            await expire_hold(session, hold_id=hold.id, now=now)
    return len(due)


@asynccontextmanager
async def _parked_if_broken(session: AsyncSession, now: datetime) -> AsyncIterator[None]:
    """Undo one wallet's part and park it, so that the others of a sweep are not kept waiting."""
    try:
        async with session.begin_nested():
            yield
    except BooksDoNotBalance as found:
        await park_wallet(session, wallet_id=found.wallet_id, now=now)
