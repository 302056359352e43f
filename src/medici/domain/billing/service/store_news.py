"""Taking what a store tells: the message and all that follows from it, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import AuthMode, StoreNews
from medici.domain.billing.lineages import Lineage, lineage_of
from medici.domain.billing.models import Purchase, StoreTransaction
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service import lineages, owners, payments, refunds
from medici.domain.billing.service.checkouts import complete_checkout
from medici.domain.billing.service.crediting import Around, settle
from medici.domain.billing.service.deriving import By, Cause, lock_users, rederive
from medici.domain.billing.service.purchases import Story, story_of, write_purchase
from medici.domain.billing.service.transfers import hand_over, transfer
from medici.domain.billing.variables import tuned
from medici.domain.billing.work import FETCH_PURCHASE, REPORT_USE
from medici.domain.inbox import service as inbox
from medici.domain.inbox.models import MessageStatus
from medici.jobs.queue import enqueue
from medici.kernel.keyring import KeyRing


class Message(StrEnum):
    """What became of a message, as its sender hears it."""

    PROCESSED = "processed"
    DUPLICATE = "duplicate_event"
    STALE = "stale_event"
    UNCLAIMED = "unclaimed"
    IGNORED = "ignored"


STATUSES = {
    Message.PROCESSED: MessageStatus.PROCESSED,
    Message.STALE: MessageStatus.STALE,
    Message.UNCLAIMED: MessageStatus.UNCLAIMED,
    Message.IGNORED: MessageStatus.IGNORED,
}


CAUSES = {AuthMode.CLIENT: By.CLAIM, AuthMode.OPERATOR: By.OPERATOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The answer to a message."""

    event_id: str
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A purchase as it stands now, and whether it is somebody else's than before."""

    row: Purchase
    moved: bool


@dataclass(slots=True, kw_only=True)
class Touched:
    """What a message is about, by the names that we know it by."""

    lineages: set[Lineage]
    loose: list[StoreTransaction]  # payments that belong to no lineage
    left: set[str]  # users whose purchase turned out to be part of another one


async def take_news(
    session: AsyncSession,
    news: StoreNews,
    *,
    keys: KeyRing,
    policy: StorePolicy,
    payload_hash: str,
    now: datetime,
) -> Taken:
    """Take one proven message of a store, however often and in whatever order messages come."""
    await lineages.lock_lineages(session, news)
    stored = await inbox.store(session, news, keys=keys, payload_hash=payload_hash, now=now)
    if stored is None:
        return Taken(event_id=news.event_id, message=Message.DUPLICATE)
    became = await follow_up(session, news, policy=policy, now=now)
    if news.asks_use_of is not None and policy.reports_use:
        await _enqueue_report(session, news, news.asks_use_of, now=now)
    await inbox.mark(session, stored, STATUSES[became], remark=news.remark, now=now)
    return Taken(event_id=news.event_id, message=became)


async def ask_store(
    session: AsyncSession,
    news: StoreNews,
    *,
    handle: str,
    keys: KeyRing,
    payload_hash: str,
    now: datetime,
) -> Taken:
    """Take a message that only says that something changed: keep it, and have the store asked."""
    stored = await inbox.store(
        session, news, keys=keys, payload_hash=payload_hash, now=now, awaits=handle
    )
    if stored is None:
        return Taken(event_id=news.event_id, message=Message.DUPLICATE)
    await enqueue_fetch(session, lineage_of(news, handle), now=now)
    return Taken(event_id=news.event_id, message=Message.PROCESSED)


async def enqueue_fetch(session: AsyncSession, wanted: Lineage, *, now: datetime) -> None:
    """Have the store asked how a purchase stands; a burst of wishes is one question."""
    await enqueue(
        session,
        FETCH_PURCHASE,
        now=now,
        args={
            "source": str(wanted.source),
            "environment": str(wanted.environment),
            "handle": wanted.id,
        },
        key=wanted.name(wanted.id),
    )


async def _enqueue_report(
    session: AsyncSession, news: StoreNews, transaction_id: str, *, now: datetime
) -> None:
    await enqueue(
        session,
        REPORT_USE,
        now=now,
        args={
            "source": str(news.source),
            "environment": str(news.environment),
            "transaction_id": transaction_id,
        },
        key=lineage_of(news, transaction_id).name(transaction_id),
    )


async def follow_up(
    session: AsyncSession, news: StoreNews, *, policy: StorePolicy, now: datetime
) -> Message:
    """Write down what a message tells and bring everything to where that leads."""
    policy = await tuned(session, policy)
    touched = await _record(session, news, now=now)
    await complete_checkout(session, news, now=now)
    cause = Cause(by=CAUSES.get(news.auth_mode, By.STORE), id=news.event_id)
    settled = await settle_lineages(session, touched, cause=cause, policy=policy, now=now)
    return _became(news, touched, settled)


async def settle_lineages(
    session: AsyncSession,
    touched: Touched,
    *,
    cause: Cause,
    policy: StorePolicy,
    now: datetime,
    quietly: bool = False,
) -> list[Settled]:
    """Bring lineages and loose payments to where all that is known leads; return the purchases."""
    stories = [
        await story_of(session, lineage, policy=policy) for lineage in sorted(touched.lineages)
    ]
    users = touched.left.union(*(story.users for story in stories))
    loose = [(paid, await _owner_of(session, paid, policy)) for paid in touched.loose]
    concerned = {user_id for paid, owner in loose for user_id in (paid.user_id, owner)}
    await lock_users(session, users.union(filter(None, concerned)))
    settled = [await _settle(session, story, policy=policy, now=now) for story in stories]
    for paid, user_id in loose:
        await _settle_loose(session, paid, user_id, policy=policy, now=now)
    for user_id in sorted(users):
        await rederive(
            session, user_id=user_id, cause=cause, policy=policy, now=now, quietly=quietly
        )
    return [each for each in settled if each is not None]


async def _record(session: AsyncSession, news: StoreNews, *, now: datetime) -> Touched:
    touched = Touched(
        lineages=await lineages.elsewhere(session, news),
        loose=list(await lineages.packs_elsewhere(session, news)),
        left=set(),
    )
    await owners.meet_buyer(session, news, now=now)
    homes: dict[str, Lineage] = {}
    for standing in news.standings:
        lineage, left = await lineages.record_standing(session, news, standing, now=now)
        homes[standing.lineage_id] = lineage
        touched.lineages.add(lineage)
        touched.left |= left
    if len(homes) > 1:
        homes.clear()  # a later standing may have led an earlier one elsewhere
    for payment in news.payments:
        paid = await payments.record_payment(session, news, payment, homes=homes, now=now)
        _touch(touched, paid, news)
    for refund in news.refunds:
        await refunds.record_refund(session, news, refund, now=now)
        known = await lineages.lineages_paid_by(session, news, refund.transaction_id)
        touched.lineages |= {lineage_of(news, lineage_id) for lineage_id in known}
        touched.loose += await _loose(session, news, refund.transaction_id, touched)
    return touched


def _touch(touched: Touched, paid: StoreTransaction, news: StoreNews) -> None:
    if paid.lineage_id is not None:
        touched.lineages.add(lineage_of(news, paid.lineage_id))
    elif paid not in touched.loose:
        touched.loose.append(paid)


async def _loose(
    session: AsyncSession, news: StoreNews, transaction_id: str, touched: Touched
) -> list[StoreTransaction]:
    known = {paid.id for paid in touched.loose}
    found = await session.scalars(
        select(StoreTransaction).where(
            StoreTransaction.source == news.source,
            StoreTransaction.environment == news.environment,
            StoreTransaction.transaction_id == transaction_id,
            StoreTransaction.lineage_id.is_(None),
        )
    )
    return [paid for paid in found if paid.id not in known]


async def _settle(
    session: AsyncSession, story: Story, *, policy: StorePolicy, now: datetime
) -> Settled | None:
    previous = story.row.user_id if story.row else None
    row = await write_purchase(session, story, policy=policy, now=now)
    if row is not None and previous is not None and row.user_id != previous:
        await transfer(session, story, row, previous=previous, now=now)
    around = story.around
    for paid in story.payments:
        await settle(session, paid, around, owner=story.owner.user_id, policy=policy, now=now)
    return None if row is None else Settled(row=row, moved=row.user_id != previous)


async def _owner_of(
    session: AsyncSession, paid: StoreTransaction, policy: StorePolicy
) -> str | None:
    if paid.user_id is not None and owners.was_shown(paid):
        return paid.user_id
    lineage = _loose_lineage(paid)
    named = (await owners.owner(session, lineage, [], [paid], policy=policy)).user_id
    return named or paid.user_id


async def _settle_loose(
    session: AsyncSession,
    paid: StoreTransaction,
    user_id: str | None,
    *,
    policy: StorePolicy,
    now: datetime,
) -> None:
    if user_id is not None and paid.user_id not in (None, user_id):
        await hand_over(session, paid, user_id, now=now)
    known = await refunds.refunds_of(session, _loose_lineage(paid), [paid.transaction_id])
    around = Around(lineage=[paid], refunds=known, lasting={})
    await settle(session, paid, around, owner=user_id, policy=policy, now=now)


def _loose_lineage(paid: StoreTransaction) -> Lineage:
    return Lineage(source=paid.source, environment=paid.environment, id="")


def _became(news: StoreNews, touched: Touched, settled: Sequence[Settled]) -> Message:
    """Tell the sender what a message led to."""
    linked = news.buyer.customer_id is not None and news.buyer.user_id is not None
    if not (news.standings or news.payments or news.refunds or linked):
        return Message.IGNORED
    if any(paid.credited_at is None for paid in touched.loose):
        return Message.UNCLAIMED
    if any(each.row.user_id is None or each.row.plan_id is None for each in settled):
        return Message.UNCLAIMED
    if news.standings and not any(_told_by(news, each) for each in settled):
        return Message.STALE
    return Message.PROCESSED


def _told_by(news: StoreNews, settled: Settled) -> bool:
    """Tell whether a purchase stands as it does, or is whose it is, because of this message."""
    return settled.moved or settled.row.watermark_event_id == news.event_id
