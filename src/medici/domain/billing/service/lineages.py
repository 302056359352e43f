"""Finding the lineage that a message means, where stores give one purchase several names."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from medici.adapters.payments.news import Standing, StoreNews
from medici.domain.billing.lineages import BUYER, STANDING, Lineage, lineage_of, names_in
from medici.domain.billing.models import (
    Purchase,
    PurchaseEvent,
    StoreCustomer,
    StoreTransaction,
)
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.inserts import insert_into
from medici.kernel.db.locks import lock_names
from medici.kernel.ids import new_id


async def lock_lineages(session: AsyncSession, news: StoreNews) -> None:
    """Let other messages about the same purchases wait until this transaction ends.

    What a message calls a purchase may lead to further names. All are locked in one go, since two
    transactions that lock one after the other could wait for each other.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    one = lineage_of(news, "")
    names = {one.name(what) for what in names_in(news)}
    while True:
        attempt = await session.begin_nested()
        await lock_names(await driver_of(session), names)
        more = {lineage.name(lineage.id) for lineage in await homes(session, news)}
        if more <= names:
            await attempt.commit()
            return
        await attempt.rollback()
        names |= more


async def lock_lineage(session: AsyncSession, lineage: Lineage) -> None:
    """Do the same for one lineage, or one payment, that is known by its name."""
    await lock_names(await driver_of(session), {lineage.name(lineage.id)})


async def homes(session: AsyncSession, news: StoreNews) -> set[Lineage]:
    """Return every lineage that a message touches by what is known so far."""
    found: set[str] = {standing.lineage_id for standing in news.standings}
    # What belongs to the lineage of a standing is found with the standing.
    paid = {payment.lineage_id for payment in news.payments} - found
    for standing in news.standings:
        found |= {row.lineage_id for row in await session.execute(_related(news, standing))}
    for lineage_id in paid:
        if lineage_id is not None:
            found.add((await home(session, lineage_of(news, lineage_id))).id)
    for refund in news.refunds:
        found |= await lineages_paid_by(session, news, refund.transaction_id)
    found |= {lineage.id for lineage in await elsewhere(session, news)}
    found |= {paid.transaction_id for paid in await packs_elsewhere(session, news)}
    return {lineage_of(news, lineage_id) for lineage_id in found}


async def home(session: AsyncSession, told: Lineage) -> Lineage:
    """Return where a lineage belongs by all that is known; itself where nothing is."""
    known = await session.scalar(
        select(PurchaseEvent.lineage_id)
        .where(_of(told), PurchaseEvent.told_lineage_id == told.id)
        .limit(1)
    )
    return (
        told
        if known is None
        else Lineage(source=told.source, environment=told.environment, id=known)
    )


async def lineages_paid_by(session: AsyncSession, news: StoreNews, transaction_id: str) -> set[str]:
    """Return the lineages that a payment belongs to, whether it was booked or only named."""
    one = lineage_of(news, "")
    booked = select(StoreTransaction.lineage_id).where(
        StoreTransaction.source == one.source,
        StoreTransaction.environment == one.environment,
        StoreTransaction.transaction_id == transaction_id,
        StoreTransaction.lineage_id.is_not(None),
    )
    named = select(Purchase.lineage_id).where(
        Purchase.source == one.source,
        Purchase.environment == one.environment,
        Purchase.transaction_id == transaction_id,
    )
    return {str(each) for each in await session.scalars(booked.union(named))}


async def elsewhere(session: AsyncSession, news: StoreNews) -> set[Lineage]:
    """Return what the customer whom a message links to a user bought and that user does not have.

    It is nobody's, or another's whom a later message named.
    """
    if news.buyer.customer_id is None:
        return set()
    found = await session.scalars(
        select(Purchase.lineage_id).where(
            Purchase.customer_id == news.buyer.customer_id,
            Purchase.source == news.source,
            Purchase.environment == news.environment,
            _not_with(news.buyer.user_id, Purchase.user_id),
        )
    )
    return {lineage_of(news, lineage_id) for lineage_id in found}


async def packs_elsewhere(session: AsyncSession, news: StoreNews) -> Sequence[StoreTransaction]:
    """Return the same of payments that belong to no lineage."""
    customer_id, named = news.buyer.customer_id, news.buyer.user_id
    if customer_id is None or named is None:
        return []
    known = select(StoreCustomer.user_id).where(
        StoreCustomer.source == news.source,
        StoreCustomer.environment == news.environment,
        StoreCustomer.customer_id == customer_id,
    )
    found = await session.scalars(
        select(StoreTransaction).where(
            StoreTransaction.source == news.source,
            StoreTransaction.environment == news.environment,
            StoreTransaction.lineage_id.is_(None),
            or_(
                StoreTransaction.credited_at.is_(None),
                StoreTransaction.user_id == known.scalar_subquery(),
            ),
            _not_with(named, StoreTransaction.user_id),
            StoreTransaction.details["buyer"]["customer_id"].as_string() == customer_id,
        )
    )
    return found.all()


async def record_standing(
    session: AsyncSession, news: StoreNews, standing: Standing, *, now: datetime
) -> tuple[Lineage, set[str]]:
    """Write down what a message says about a lineage.

    Return where it belongs, and the owners of what turned out to be the same purchase.
    """
    target, same = await _target(session, news, standing)
    await session.execute(
        insert_into(session, PurchaseEvent)
        .values(
            id=new_id(),
            source=news.source,
            environment=news.environment,
            lineage_id=target.id,
            told_lineage_id=standing.lineage_id,
            event_id=news.event_id,
            event_time=news.event_time,
            handle=standing.handle or standing.lineage_id,
            follows=standing.follows,
            auth_mode=news.auth_mode,
            buyer=BUYER.dump_python(news.buyer, mode="json"),
            standing=STANDING.dump_python(standing, mode="json"),
            recorded_at=now,
        )
        .on_conflict_do_nothing()
    )
    return target, await _merge(session, target, same - {target.id})


async def _target(
    session: AsyncSession, news: StoreNews, standing: Standing
) -> tuple[Lineage, set[str]]:
    """Return the lineage that comes first in the chain, and all that are one with it."""
    told, handle = standing.lineage_id, standing.handle or standing.lineage_id
    same = (await session.execute(_related(news, standing))).all()
    before = [row.lineage_id for row in same if row.handle == standing.follows]
    mine = [row.lineage_id for row in same if row.told_lineage_id == told or row.handle == handle]
    first, *_ = (*before, *mine, told)
    return lineage_of(news, first), {row.lineage_id for row in same}


async def _merge(session: AsyncSession, target: Lineage, others: Collection[str]) -> set[str]:
    """Bring lineages together that turned out to be one; return who had the others."""
    if not others:
        return set()
    for table in (PurchaseEvent, StoreTransaction):
        await session.execute(
            update(table)
            .where(
                table.source == target.source,
                table.environment == target.environment,
                table.lineage_id.in_(others),
            )
            .values(lineage_id=target.id)
            .execution_options(synchronize_session=False)
        )
    gone = await session.scalars(
        delete(Purchase)
        .where(
            Purchase.source == target.source,
            Purchase.environment == target.environment,
            Purchase.lineage_id.in_(others),
        )
        .returning(Purchase.user_id)
        .execution_options(synchronize_session=False)
    )
    return {user_id for user_id in gone if user_id is not None}


def _related(news: StoreNews, standing: Standing) -> Select[str, str, str]:
    """Select where messages belong that are about the same purchase, the oldest first."""
    told = lineage_of(news, standing.lineage_id)
    handle = standing.handle or standing.lineage_id
    return (
        select(PurchaseEvent.lineage_id, PurchaseEvent.told_lineage_id, PurchaseEvent.handle)
        .where(
            _of(told),
            or_(
                PurchaseEvent.told_lineage_id == told.id,
                PurchaseEvent.handle.in_({handle, standing.follows or handle}),
                PurchaseEvent.follows == handle,
            ),
        )
        .order_by(PurchaseEvent.id)
    )


def _not_with(named: str | None, user_id: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    return user_id.is_(None) if named is None else user_id.is_distinct_from(named)


def _of(lineage: Lineage) -> ColumnElement[bool]:
    return and_(
        PurchaseEvent.source == lineage.source, PurchaseEvent.environment == lineage.environment
    )
