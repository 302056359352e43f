"""Moving a purchase from one user to another: what is to come, never what was spent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Paid
from medici.domain.billing.models import Purchase, StoreTransaction
from medici.domain.billing.service import telling
from medici.domain.billing.service.purchases import Story
from medici.domain.identity.owner import Owner
from medici.domain.ledger.errors import GrantAlreadyThere
from medici.domain.ledger.models import Grant
from medici.domain.ledger.queries import grants_by_id, locked_wallets, wallet_of_grant
from medici.domain.ledger.service.extending import restore_grant
from medici.domain.ledger.service.grants import move_grant, revoke_grant
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.values import Memo
from medici.domain.notices.notice import Notice, NoticeType
from medici.domain.notices.service.announce import announce
from medici.kernel.ids import new_id

MOVED = Memo(actor="system", reason="purchase_transferred")


async def transfer(
    session: AsyncSession, story: Story, row: Purchase, *, previous: str, now: datetime
) -> None:
    """Let the unspent credits of a lineage's periods follow it to its new owner.

    Where the store itself says whose it is, that one has made its payments as well.
    """
    if row.user_id is None:
        return
    if not story.owner.claimed:
        for paid in story.payments:
            paid.user_id = row.user_id
    target = await open_wallet(
        session, owner=Owner.user(row.user_id), environment=row.environment, now=now
    )
    moving = [
        paid for paid in story.payments if paid.grant_id is not None and paid.paid is not Paid.ONCE
    ]
    sources = {await wallet_of_grant(session, paid.grant_id) for paid in moving if paid.grant_id}
    await locked_wallets(session, sources | {target})
    for paid in moving:
        await _move(session, paid, target, now=now)
    await session.flush()
    data = {**telling.shown(row), "from_user_id": previous, "to_user_id": row.user_id}
    notice = Notice(
        type=NoticeType.ENTITLEMENT_TRANSFERRED, subject=f"user:{row.user_id}", data=data
    )
    await announce(session, notice, now=now)


async def hand_over(
    session: AsyncSession, paid: StoreTransaction, user_id: str, *, now: datetime
) -> None:
    """Let a payment that belongs to no lineage be another user's, as its store says."""
    paid.user_id = user_id
    if paid.grant_id is not None:
        target = await open_wallet(
            session, owner=Owner.user(user_id), environment=paid.environment, now=now
        )
        await locked_wallets(session, {await wallet_of_grant(session, paid.grant_id), target})
        await _move(session, paid, target, now=now)
    await session.flush()


async def _move(
    session: AsyncSession, paid: StoreTransaction, target: UUID, *, now: datetime
) -> None:
    if paid.grant_id is None or await wallet_of_grant(session, paid.grant_id) == target:
        return
    (grant,) = await grants_by_id(session, [paid.grant_id])
    if not grant.free or grant.ended(now):
        return
    try:
        moved = await move_grant(
            session, grant_id=paid.grant_id, to_wallet_id=target, memo=MOVED, now=now
        )
    except GrantAlreadyThere:
        await _move_back(session, paid, target, grant.free, now=now)
        return
    if moved.issued is not None:
        paid.grant_id = moved.issued.subject_id


async def _move_back(
    session: AsyncSession, paid: StoreTransaction, target: UUID, free: int, *, now: datetime
) -> None:
    """Return credits to a wallet that had them before: to the grant that they left."""
    if paid.grant_id is None:
        return
    (grant,) = await grants_by_id(session, [paid.grant_id])
    home = await session.scalar(
        select(Grant.id).where(
            Grant.wallet_id == target,
            Grant.source == grant.source,
            Grant.source_ref == grant.source_ref,
        )
    )
    if home is None:
        return
    taken = await revoke_grant(
        session, grant_id=paid.grant_id, amount=free, memo=MOVED, key=new_id().hex, now=now
    )
    if taken.amount:
        key = taken.transaction_id.hex
        await restore_grant(
            session, grant_id=home, amount=taken.amount, memo=MOVED, key=key, now=now
        )
        paid.grant_id = home
