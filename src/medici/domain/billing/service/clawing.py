"""Taking refunded credits back as far as they are there, and giving them again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.models import StoreRefund, StoreTransaction
from medici.domain.ledger.models import Grant, GrantCategory
from medici.domain.ledger.queries import grants_by_id, wallet_of_grant
from medici.domain.ledger.service.extending import restore_grant
from medici.domain.ledger.service.grants import revoke_grant
from medici.domain.ledger.values import Memo
from medici.kernel.ids import new_id


async def take_back(
    session: AsyncSession, paid: StoreTransaction, due: int, *, memo: Memo, now: datetime
) -> None:
    """Take back what is free of a payment's credits until ``due`` are gone in all.

    What was spent or is held stays owed as ``unrecovered_credits``; a hold that ends without
    spending sets some of them free, and a later call takes those.
    """
    if paid.grant_id is None:
        return
    missing = due - paid.revoked_credits
    (grant,) = await grants_by_id(session, [paid.grant_id])
    if grant.free:
        taken = await revoke_grant(
            session,
            grant_id=paid.grant_id,
            amount=missing,
            memo=memo,
            key=new_id().hex,
            now=now,
        )
        paid.revoked_credits += taken.amount
        missing -= taken.amount
    spent = min(missing, grant.consumed + grant.held)
    paid.unrecovered_credits = max(spent - paid.recovered_credits, 0)


async def give_back(
    session: AsyncSession, paid: StoreTransaction, due: int, *, memo: Memo, now: datetime
) -> None:
    """Give again what was taken for a refund that came back."""
    paid.unrecovered_credits = 0
    if paid.grant_id is None:
        return
    given = await restore_grant(
        session,
        grant_id=paid.grant_id,
        amount=paid.revoked_credits - due,
        memo=Memo(actor=memo.actor, reason="refund_reversed", ref=memo.ref),
        key=new_id().hex,
        now=now,
    )
    paid.revoked_credits -= given.amount


async def recover(
    session: AsyncSession,
    paid: StoreTransaction,
    refunds: Sequence[StoreRefund],
    *,
    memo: Memo,
    now: datetime,
) -> None:
    """Let gifts that came after the refund pay for what was spent before it."""
    since = min((refund.recorded_at for refund in refunds), default=None)
    if paid.grant_id is None or since is None:
        return
    wallet_id = await wallet_of_grant(session, paid.grant_id)
    gifts = await session.scalars(
        select(Grant.id)
        .where(
            Grant.wallet_id == wallet_id,
            Grant.category == GrantCategory.PROMOTIONAL,
            Grant.effective_at > since,
            Grant.amount > Grant.consumed + Grant.expired + Grant.revoked,
        )
        .order_by(Grant.effective_at, Grant.id)
    )
    for gift_id in gifts.all():
        if not paid.unrecovered_credits:
            return
        taken = await revoke_grant(
            session,
            grant_id=gift_id,
            amount=paid.unrecovered_credits,
            memo=memo,
            key=new_id().hex,
            now=now,
        )
        paid.unrecovered_credits -= taken.amount
        paid.recovered_credits += taken.amount
