"""Telling of credits: each thing once, to whoever listens to our webhooks, and into the facts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.credit_news import sweeps as credit_news
from medici.domain.billing.credit_news.sweeps import AHEAD, Tiding
from medici.domain.billing.resets.models import CreditNews, CreditNewsPlace
from medici.domain.billing.resets.rehearsals import Opening
from medici.domain.events import service as events
from medici.domain.events.facts import EventName, Fact
from medici.domain.identity.owner import OwnerKind
from medici.domain.notices.notice import Notice, NoticeType
from medici.domain.notices.service.announce import announce
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.inserts import insert_into

CHUNK = 100  # told in one transaction
KEPT = timedelta(days=7)  # far longer than anything can come up again
FORGOTTEN_AT_ONCE = 1000
NO_ID = UUID(int=0)
# Who gives credits records that fact, with all that is known of it.
FACTS = {
    NoticeType.CREDITS_LOW: EventName.CREDITS_LOW,
    NoticeType.CREDITS_EXPIRING: EventName.CREDITS_EXPIRING,
    NoticeType.CREDITS_EXPIRED: EventName.CREDITS_EXPIRED,
}


async def tell_of_the_ledger(reading: Opening, transaction: Opening, *, now: datetime) -> None:
    """Tell what happened in the ledger since it was last looked at.

    Where that is interrupted, the same part is looked at again, and nothing is told twice.
    """
    told_all = False
    while not told_all:
        async with reading() as session:
            span = await credit_news.next_span(session)
            if span is None:
                return
            tidings = await credit_news.tidings_of(session, span)
        await _tell_all(transaction, tidings, now=now)
        async with transaction() as session:
            (await session.get_one(CreditNewsPlace, 1)).transaction_id = span.upto
        told_all = span.last


async def tell_of_endings(reading: Opening, transaction: Opening, *, now: datetime) -> None:
    """Tell of credits that are going to end within three days."""
    place, more = (now, NO_ID), True
    while more:
        async with reading() as session:
            found = await credit_news.expiring_after(session, place, until=now + AHEAD, limit=CHUNK)
        await _tell_all(transaction, [tiding for _, tiding in found], now=now)
        more = len(found) == CHUNK
        if found:
            place, _ = found[-1]


async def forget_old_news(session: AsyncSession, *, now: datetime) -> int:
    """Delete what was told long ago, some at a time; return how many that were."""
    old = (
        select(CreditNews.type, CreditNews.key)
        .where(CreditNews.told_at < now - KEPT)
        .limit(FORGOTTEN_AT_ONCE)
    )
    keys = (await session.execute(old)).all()
    for kind, key in keys:
        await session.execute(
            delete(CreditNews).where(CreditNews.type == kind, CreditNews.key == key)
        )
    return len(keys)


async def _tell_all(transaction: Opening, tidings: Sequence[Tiding], *, now: datetime) -> None:
    waiting = iter(tidings)
    while chunk := list(islice(waiting, CHUNK)):
        async with transaction() as session:
            await tell(session, chunk, now=now)


async def tell(session: AsyncSession, tidings: Sequence[Tiding], *, now: datetime) -> None:
    """Tell what has not been told before."""
    news = await _untold(session, tidings, now=now)
    for tiding in news:
        notice = Notice(
            type=tiding.type,
            subject=str(tiding.owner),
            data=tiding.data,
            key=f"{tiding.type}:{tiding.key}",
        )
        await announce(session, notice, now=now)
    facts = [_fact(tiding) for tiding in news if tiding.type in FACTS]
    await events.record_all(await driver_of(session), facts, now=now)


async def _untold(
    session: AsyncSession, tidings: Sequence[Tiding], *, now: datetime
) -> list[Tiding]:
    """Mark tidings as told, and return those that were not yet."""
    by_name: dict[tuple[str, str], Tiding] = {}
    for tiding in tidings:
        by_name.setdefault((tiding.type, tiding.key), tiding)
    if not by_name:
        return []
    rows = [{"type": kind, "key": key, "told_at": now} for kind, key in by_name]
    insert = insert_into(session, CreditNews).values(rows).on_conflict_do_nothing()
    marked = await session.execute(insert.returning(CreditNews.type, CreditNews.key))
    new = {(row.type, row.key) for row in marked}
    return [tiding for name, tiding in by_name.items() if name in new]


def _fact(tiding: Tiding) -> Fact:
    return Fact(
        name=FACTS[tiding.type],
        user_id=tiding.owner.id if tiding.owner.kind is OwnerKind.USER else None,
        credits=tiding.amount,
        properties={"owner": str(tiding.owner), "key": tiding.key},
    )
