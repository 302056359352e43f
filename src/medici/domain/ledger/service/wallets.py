"""Opening wallets, and parking those whose books do not balance."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.owner import Owner
from medici.domain.ledger import queries
from medici.domain.ledger.models import Wallet
from medici.kernel.db.inserts import insert_into
from medici.kernel.environment import Environment
from medici.kernel.ids import new_id

log = structlog.get_logger("medici.ledger")


async def open_wallet(
    session: AsyncSession,
    *,
    owner: Owner,
    now: datetime,
    environment: Environment = Environment.PRODUCTION,
    asset: str = "credit",
) -> UUID:
    """Return the owner's wallet, opening an empty one at the first call, however many race."""
    known = await queries.wallet_by_owner(
        session, owner=owner, environment=environment, asset=asset
    )
    if known:
        return known.id
    wallet_id = new_id()
    await session.execute(
        insert_into(session, Wallet)
        .values(
            id=wallet_id,
            owner_kind=owner.kind,
            owner_id=owner.id,
            asset=asset,
            environment=environment,
            available=0,
            held=0,
            seq=0,
            last_at=now,
        )
        .on_conflict_do_nothing()
    )
    first = await queries.wallet_by_owner(
        session, owner=owner, environment=environment, asset=asset
    )
    return first.id if first else wallet_id


async def park_wallet(session: AsyncSession, *, wallet_id: UUID, now: datetime) -> None:
    """Stop all spending from a wallet. Its holds, grants and refunds go on."""
    wallet = await queries.locked_wallet(session, wallet_id)
    if wallet.parked_at is None:
        wallet.parked_at = now
        await session.flush()
        log.error("ledger.wallet_parked", wallet_id=str(wallet_id))


async def unpark_wallet(session: AsyncSession, *, wallet_id: UUID) -> None:
    """Let a wallet be spent from again, once its books have been put right."""
    wallet = await queries.locked_wallet(session, wallet_id)
    wallet.parked_at = None
    await session.flush()
