"""Reading what actors did: along a funnel, and from bucket to bucket."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    and_,
    case,
    distinct,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Integer, Text

from medici.domain.analytics.actors import PASSIVE, actor_of_fact
from medici.domain.analytics.adding import COMPLETED
from medici.domain.analytics.errors import TooMuchToFollow
from medici.domain.analytics.funnels import Act, Funnel, Mode, Step, follow
from medici.domain.analytics.models import ActiveQuarter, FirstSeen, Identity
from medici.domain.analytics.retention import Bucket
from medici.domain.analytics.spans import Window
from medici.domain.events.facts import EventName
from medici.domain.events.models import Event
from medici.kernel.db.base import Instant

# Steps that are a fact of ours in a certain state: the tier of a render, or any.
ALIASES: Mapping[str, str | None] = {
    "render_completed": None,
    "render_preview_completed": "preview",
    "render_final_completed": "final",
}
# What only the server can know; a client that says so is not believed.
SERVERS = ("render_", "credits_", "subscription_", "trial_", "pack_", "purchase_")


async def funnel(session: AsyncSession, funnel: Funnel, window: Window) -> list[Step]:
    """Follow everybody who took the first step in a window.

    Raises:
        TooMuchToFollow: more facts would have to be read than one answer may.
    """
    return follow(await acts(session, funnel, window), funnel)


async def acts(session: AsyncSession, funnel: Funnel, window: Window) -> Iterator[Sequence[Act]]:
    """Read what each actor did, by time: the steps alone, or everything for strict mode."""
    name = _step_name(funnel.steps)
    told = (
        select(actor_of_fact().label("actor"), name.label("name"), Event.occurred_at.label("at"))
        .outerjoin(
            Identity, and_(Event.user_id.is_(None), Identity.anonymous_id == Event.anonymous_id)
        )
        .where(
            Event.occurred_at >= window.since,
            Event.occurred_at < window.until + funnel.within,
            or_(Event.user_id.is_not(None), Event.anonymous_id.is_not(None)),
            *_wanted(funnel),
        )
        .order_by("actor", Event.occurred_at)
        .limit(TooMuchToFollow.MOST + 1)
    )
    # Thousands of rows, none of which is an object: the connection reads them sooner.
    rows = (await (await session.connection()).execute(told)).all()
    if len(rows) > TooMuchToFollow.MOST:
        raise TooMuchToFollow("ask for fewer hours, or for steps that are rarer")
    return _by_actor(rows)


def _by_actor(rows: Iterable[Any]) -> Iterator[list[Act]]:
    for _, mine in groupby(rows, key=itemgetter(0)):
        yield [Act(name, at) for _, name, at in mine]


def _wanted(funnel: Funnel) -> list[ColumnElement[bool]]:
    steps = or_(*(_is_step(step) for step in funnel.steps))
    if funnel.mode is Mode.STRICT:
        return [or_(steps, Event.name.not_in(PASSIVE))]
    # The names alone as well, so that an index on names serves.
    names = {*funnel.steps, EventName.RENDER_STATUS_UPDATED.value}
    if ALIASES.keys().isdisjoint(funnel.steps):
        names -= {EventName.RENDER_STATUS_UPDATED.value} - set(funnel.steps)
    return [Event.name.in_(sorted(names)), steps]


def _is_step(step: str) -> ColumnElement[bool]:
    named = Event.name == step
    if not step.startswith(SERVERS):
        return named
    told = or_(named, _is_alias(step)) if step in ALIASES else named
    return and_(Event.trusted.is_(True), told)


def _is_alias(step: str) -> ColumnElement[bool]:
    tier = ALIASES[step]
    ended = and_(Event.name == EventName.RENDER_STATUS_UPDATED, Event.status.in_(COMPLETED))
    return ended if tier is None else and_(ended, Event.tier == tier)


def _step_name(steps: Sequence[str]) -> ColumnElement[str]:
    aliased = sorted(set(steps) & ALIASES.keys(), key=lambda step: ALIASES[step] is None)
    if not aliased:
        return Event.name.expression
    whens = [
        (and_(Event.trusted.is_(True), _is_alias(step)), literal_column(f"'{step}'", Text))
        for step in aliased
    ]
    return case(*whens, else_=Event.name)


async def cohort_sizes(session: AsyncSession, spans: Sequence[Bucket]) -> dict[int, int]:
    """Count the actors who were first seen in each bucket, by its place."""
    span = _spans(spans)
    in_span = and_(FirstSeen.first_at >= span.c.since, FirstSeen.first_at < span.c.until)
    rows = await session.execute(
        select(span.c.place, func.count().label("actors"))
        .join(FirstSeen, in_span)
        .group_by(span.c.place)
    )
    return {row.place: row.actors for row in rows}


async def active_by_cohort(
    session: AsyncSession, spans: Sequence[Bucket]
) -> dict[tuple[int, int], int]:
    """Count actors by the bucket they were first seen in and one they were active in."""
    span = _spans(spans)
    visit, cohort = span.alias("visit"), span.alias("cohort")
    rows = await session.execute(
        select(cohort.c.place, visit.c.place, func.count(distinct(ActiveQuarter.actor)))
        .select_from(visit)
        .join(
            ActiveQuarter,
            and_(ActiveQuarter.since >= visit.c.since, ActiveQuarter.since < visit.c.until),
        )
        .join(FirstSeen, FirstSeen.actor == ActiveQuarter.actor)
        .join(
            cohort,
            and_(FirstSeen.first_at >= cohort.c.since, FirstSeen.first_at < cohort.c.until),
        )
        .group_by(cohort.c.place, visit.c.place)
    )
    return {(first, later): actors for first, later, actors in rows}


def _spans(spans: Sequence[Bucket]) -> CTE:
    return union_all(
        *(
            select(
                literal(place, Integer).label("place"),
                literal(span.window.since, Instant()).label("since"),
                literal(span.window.until, Instant()).label("until"),
            )
            for place, span in enumerate(spans)
        )
    ).cte("spans")
