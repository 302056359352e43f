"""Looking at new facts: who was there, who is who, and which hours have to be rolled up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics.actors import PASSIVE, actor_of_fact, device_actor, user_actor
from medici.domain.analytics.flooring import hour_of, quarter_of
from medici.domain.analytics.models import ActiveQuarter, FirstSeen, Identity, StaleHour
from medici.domain.events.models import Event
from medici.kernel.db.base import Instant
from medici.kernel.db.inserts import insert_into

CHUNK = 5_000  # facts of one transaction
Rows: TypeAlias = Select[*tuple[Any, ...]]


async def look_at(
    session: AsyncSession, *, after: UUID | None, now: datetime, chunk: int = CHUNK
) -> UUID | None:
    """Look at the facts that follow one; return the last of them, None where there is none.

    Looking twice changes nothing.
    """
    last = await _last_of_chunk(session, after, chunk)
    if last is None:
        return None
    new = Event.id <= last if after is None else and_(Event.id > after, Event.id <= last)
    linked = await _link(session, new, now)
    for each in range(0, len(linked), 500):
        await _move(session, linked[each : each + 500])
    await _see(session, new)
    await _mark_active(session, new)
    await session.execute(
        insert_into(session, StaleHour)
        .from_select(["since"], select(hour_of(Event.occurred_at)).where(new).distinct())
        .on_conflict_do_nothing()
    )
    return last


async def _last_of_chunk(session: AsyncSession, after: UUID | None, chunk: int) -> UUID | None:
    following = select(Event.id).order_by(Event.id).limit(chunk)
    if after is not None:
        following = following.where(Event.id > after)
    ids = following.subquery()
    # The newest by order: PostgreSQL before 18 has no max of ids.
    return await session.scalar(select(ids.c.id).order_by(ids.c.id.desc()).limit(1))


async def _link(session: AsyncSession, new: ColumnElement[bool], now: datetime) -> Sequence[str]:
    """Tie each device to the first user who was seen with it; return the devices newly tied."""
    place = func.row_number().over(partition_by=Event.anonymous_id, order_by=Event.id)
    seen = (
        select(Event.anonymous_id, Event.user_id, place.label("place"))
        .where(new, Event.anonymous_id.is_not(None), Event.user_id.is_not(None))
        .subquery()
    )
    first = select(seen.c.anonymous_id, seen.c.user_id, literal(now, Instant())).where(
        seen.c.place == 1
    )
    insert = insert_into(session, Identity).from_select(
        ["anonymous_id", "user_id", "linked_at"], first
    )
    tied = await session.scalars(insert.on_conflict_do_nothing().returning(Identity.anonymous_id))
    return tied.all()


async def _move(session: AsyncSession, devices: Sequence[str]) -> None:
    """Give what is known of devices to the users that they turned out to be."""
    of_devices = Identity.anonymous_id.in_(devices)
    user, device = user_actor(Identity.user_id), device_actor(Identity.anonymous_id)
    await _add_first_seen(
        session,
        select(user.label("actor"), FirstSeen.first_at)
        .join(Identity, FirstSeen.actor == device)
        .where(of_devices),
    )
    await session.execute(
        insert_into(session, ActiveQuarter)
        .from_select(
            ["since", "actor"],
            select(ActiveQuarter.since, user)
            .join(Identity, ActiveQuarter.actor == device)
            .where(of_devices)
            .distinct(),
        )
        .on_conflict_do_nothing()
    )
    gone = [f"a:{each}" for each in devices]
    await session.execute(delete(FirstSeen).where(FirstSeen.actor.in_(gone)))
    await session.execute(delete(ActiveQuarter).where(ActiveQuarter.actor.in_(gone)))


async def _see(session: AsyncSession, new: ColumnElement[bool]) -> None:
    """Note when actors were first seen, which facts that come late may put back."""
    await _add_first_seen(
        session, _of_actors(new, select(actor_of_fact().label("actor"), Event.occurred_at))
    )


async def _mark_active(session: AsyncSession, new: ColumnElement[bool]) -> None:
    did = _of_actors(new, select(quarter_of(Event.occurred_at), actor_of_fact())).distinct()
    await session.execute(
        insert_into(session, ActiveQuarter)
        .from_select(["since", "actor"], did)
        .on_conflict_do_nothing()
    )


async def _add_first_seen(session: AsyncSession, seen: Rows) -> None:
    told = seen.subquery()
    actor, at = told.c
    earliest = select(actor, func.min(at)).where(actor.is_not(None)).group_by(actor)
    insert = insert_into(session, FirstSeen).from_select(["actor", "first_at"], earliest)
    before = insert.excluded.first_at < FirstSeen.first_at
    await session.execute(
        insert.on_conflict_do_update(
            index_elements=[FirstSeen.actor],
            set_={"first_at": case((before, insert.excluded.first_at), else_=FirstSeen.first_at)},
        )
    )


def _of_actors(new: ColumnElement[bool], told: Rows) -> Rows:
    """Restrict a select to what actors did among the new facts."""
    somebody = or_(Event.user_id.is_not(None), Event.anonymous_id.is_not(None))
    device = and_(Event.user_id.is_(None), Identity.anonymous_id == Event.anonymous_id)
    return (
        told.select_from(Event)
        .outerjoin(Identity, device)
        .where(new, somebody, Event.name.not_in(PASSIVE))
    )
