"""Taking a purchase for oneself: a signed-in client hands in what its store has signed."""

import hashlib
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import AuthMode, Paid, StoreNews
from medici.domain.billing.derive import access
from medici.domain.billing.errors import NothingToClaim, PurchaseOfAnother
from medici.domain.billing.lineages import Lineage
from medici.domain.billing.models import Purchase, PurchaseEvent, StoreTransaction
from medici.domain.billing.policy import StorePolicy, Transfers
from medici.domain.billing.service.lineages import homes, lock_lineages
from medici.domain.billing.service.owners import user_of_token
from medici.domain.billing.service.purchases import held, purchase_of
from medici.domain.billing.service.store_news import Taken, take_news
from medici.domain.billing.variables import tuned
from medici.kernel.keyring import KeyRing

ID_ROOM = 255


async def claim(
    session: AsyncSession,
    *,
    user_id: str,
    news: StoreNews,
    keys: KeyRing,
    policy: StorePolicy,
    payload_hash: str,
    now: datetime,
) -> Taken:
    """Take a store's signed word from the client of a user who is there and signed in.

    What nobody has becomes theirs. What another user has stays with that one, or moves, as the
    policy says; it is never shared.

    Raises:
        NothingToClaim: the word names no purchase and no payment.
        PurchaseOfAnother: it is another user's and stays so.
    """
    if not news.standings and not news.payments:
        raise NothingToClaim("the store's word names no purchase")
    policy = await tuned(session, policy)
    await lock_lineages(session, news)
    await _refuse_named(session, user_id, news, policy)
    await _refuse_bought(session, user_id, news)
    moves = 0
    for lineage in sorted(await homes(session, news)):
        row = await purchase_of(session, lineage)
        if row is not None and row.user_id not in (None, user_id):
            _refuse_kept(row, policy, now)
            moves += await _shown_before(session, lineage)
    return await take_news(
        session,
        _shown_by(user_id, news, moves),
        keys=keys,
        policy=policy,
        payload_hash=payload_hash,
        now=now,
    )


async def _refuse_named(
    session: AsyncSession, user_id: str, news: StoreNews, policy: StorePolicy
) -> None:
    """Refuse what the store itself says is another's, unless purchases may be passed on."""
    named = await user_of_token(session, news.buyer.account_token)
    if named not in (None, user_id) and policy.keeps(bound=True):
        raise PurchaseOfAnother("the store says that somebody else bought this")


async def _refuse_bought(session: AsyncSession, user_id: str, news: StoreNews) -> None:
    """Refuse packs that another user has had: what was bought once is not passed on."""
    lasting = {standing.lineage_id for standing in news.standings}
    once = [
        each.transaction_id
        for each in news.payments
        if each.paid is Paid.ONCE and each.lineage_id not in lasting
    ]
    taken = await session.scalar(
        select(StoreTransaction.id)
        .where(
            StoreTransaction.source == news.source,
            StoreTransaction.environment == news.environment,
            StoreTransaction.transaction_id.in_(once),
            StoreTransaction.user_id != user_id,
        )
        .limit(1)
    )
    if taken is not None:
        raise PurchaseOfAnother("another user has had what this payment bought")


def _refuse_kept(row: Purchase, policy: StorePolicy, now: datetime) -> None:
    runs = access(held(row), now, leeway=policy.leeway)
    if policy.keeps(bound=row.bound):
        raise PurchaseOfAnother("this purchase is another user's")
    if policy.transfers is Transfers.TRANSFER_IF_INACTIVE and runs:
        raise PurchaseOfAnother("this purchase is another user's, and it still lasts")


async def _shown_before(session: AsyncSession, lineage: Lineage) -> int:
    count = await session.scalar(
        select(func.count())
        .select_from(PurchaseEvent)
        .where(
            PurchaseEvent.source == lineage.source,
            PurchaseEvent.environment == lineage.environment,
            PurchaseEvent.lineage_id == lineage.id,
            PurchaseEvent.auth_mode == AuthMode.CLIENT,
        )
    )
    return int(count or 0)


def _shown_by(user_id: str, news: StoreNews, moves: int) -> StoreNews:
    """Name the message by who shows it, and how often the purchase had changed hands."""
    who = hashlib.sha256(user_id.encode()).hexdigest()[:16]
    suffix = f":{who}:{moves}"
    return replace(
        news,
        auth_mode=AuthMode.CLIENT,
        event_id=news.event_id[: ID_ROOM - len(suffix)] + suffix,
        buyer=replace(news.buyer, user_id=user_id),
    )
