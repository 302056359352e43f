"""Selects that add facts up, the same for the rollup and for what is not rolled up yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from medici.adapters.providers.request import Tier
from medici.domain.analytics.histogram import bin_sql
from medici.domain.analytics.models import BIN_DIMENSIONS, DIMENSIONS
from medici.domain.analytics.spans import Window
from medici.domain.events.facts import EventName
from medici.domain.events.models import Event
from medici.kernel.db.base import BigInt

CLIENT_NAMES = 200  # of one hour that are told apart, so that no client can swell the rollup
OTHER = "_other"
KEPT_OF_CLIENTS = frozenset({"name", "platform"})
MEASURES = ("events", "timed", "latency_ms", "costed", "cost_micros", "credits")
MARKS = ("previews", "finals", "credits")  # of USER_MEASURES
USER_MEASURES = ("renders", "completed", "previews", "finals", "credits", "cost_micros")
NOTHING: ColumnElement[str] = literal_column("''", Text)
BIN: ColumnElement[int] = literal_column(bin_sql("events.latency_ms"), Integer)
# Facts that tell how a render ended; the others of renders tell of its way.
ON_THE_WAY = (
    EventName.RENDER_DISPATCHED,
    EventName.RENDER_PROVIDER_ATTEMPT_FAILED,
    EventName.RENDER_DISPATCH_FAILED,
    EventName.RENDER_BLOCKED_PREVIEW_REQUIRED,
    EventName.RENDER_BLOCKED_INSUFFICIENT_CREDITS,
)
COMPLETED = ("completed", "succeeded", "success")
FAILED = ("failed", "error")
CANCELED = ("canceled", "cancelled")
Rows: TypeAlias = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The window of a select that is told of it only when it is run."""

    since: BindParameter[datetime]
    until: BindParameter[datetime]


def within(window: Window | Slot) -> ColumnElement[bool]:
    return and_(Event.occurred_at >= window.since, Event.occurred_at < window.until)


def raw_cells(window: Window | Slot, *, few_names: bool = False) -> Rows:
    """Add up the facts of a window by all that they are told apart by.

    Of what clients report only name and platform are told apart; with ``few_names`` the names
    that are rare in the window become one.
    """
    name = _few_names(window) if few_names else Event.name
    columns = [_dimension(key, name) for key in DIMENSIONS]
    told = (
        select(
            *columns,
            Event.trusted,
            Event.latency_ms,
            Event.cost_micros,
            Event.credits,
        )
        .where(within(window))
        .subquery()
    )
    keys = [told.c[key] for key in (*DIMENSIONS, "trusted")]
    return select(
        *keys,
        func.count().label("events"),
        func.count(told.c.latency_ms).label("timed"),
        _sum(told, "latency_ms"),
        func.count(told.c.cost_micros).label("costed"),
        _sum(told, "cost_micros"),
        _sum(told, "credits"),
    ).group_by(*keys)


def raw_bins(window: Window | Slot) -> Rows:
    """Count the latencies of trusted facts of a window by bin."""
    told = (
        select(*(_dimension(key, Event.name) for key in BIN_DIMENSIONS), BIN.label("bin"))
        .where(within(window), Event.trusted.is_(True), Event.latency_ms.is_not(None))
        .subquery()
    )
    keys = [told.c[key] for key in (*BIN_DIMENSIONS, "bin")]
    return select(*keys, func.count().label("events")).group_by(*keys)


def raw_users(window: Window) -> Rows:
    """Add up what the renders of each user that ended in a window came to."""
    completed = Event.status.in_(COMPLETED)
    return (
        select(
            Event.user_id,
            func.count().label("renders"),
            _number(func.sum(case((completed, 1), else_=0))).label("completed"),
            _completed_as(Tier.PREVIEW).label("previews"),
            _completed_as(Tier.FINAL).label("finals"),
            _number(func.sum(case((completed, Event.credits), else_=0))).label("credits"),
            _number(func.sum(Event.cost_micros)).label("cost_micros"),
        )
        .where(within(window), has_ended(), Event.user_id.is_not(None))
        .group_by(Event.user_id)
    )


def raw_marks(window: Window | Slot) -> Rows:
    """Tell of each render of a user that ended in a window what it counts as."""
    completed = Event.status.in_(COMPLETED)
    return select(
        Event.user_id,
        case((and_(completed, Event.tier == Tier.PREVIEW), 1), else_=0).label("previews"),
        case((and_(completed, Event.tier == Tier.FINAL), 1), else_=0).label("finals"),
        case((completed, func.coalesce(Event.credits, 0)), else_=0).label("credits"),
    ).where(within(window), has_ended(), Event.user_id.is_not(None))


def _completed_as(tier: Tier) -> ColumnElement[int]:
    done = and_(Event.status.in_(COMPLETED), Event.tier == tier)
    return _number(func.sum(case((done, 1), else_=0)))


def has_ended() -> ColumnElement[bool]:
    """Return the condition that a fact tells how a render ended."""
    return and_(
        Event.trusted.is_(True),
        Event.name.startswith("render_", autoescape=True),
        Event.name.not_in(ON_THE_WAY),
        Event.status.in_((*COMPLETED, *FAILED, *CANCELED)),
    )


def _dimension(
    key: str, name: ColumnElement[str] | InstrumentedAttribute[str]
) -> ColumnElement[str]:
    if key == "name":
        return name.label(key)
    told = func.coalesce(getattr(Event, key), NOTHING)
    if key in KEPT_OF_CLIENTS:
        return told.label(key)
    return case((Event.trusted.is_(True), told), else_=NOTHING).label(key)


def _few_names(window: Window | Slot) -> ColumnElement[str]:
    frequent = (
        select(Event.name)
        .where(within(window), Event.trusted.is_(False))
        .group_by(Event.name)
        .order_by(func.count().desc(), Event.name)
        .limit(CLIENT_NAMES)
    ).subquery()
    known = or_(Event.trusted.is_(True), Event.name.in_(select(frequent.c.name)))
    return case((known, Event.name), else_=literal_column(f"'{OTHER}'", Text))


def _sum(told: FromClause, key: str) -> ColumnElement[int]:
    return _number(func.sum(told.c[key])).label(key)


def _number(value: ColumnElement[Any]) -> ColumnElement[int]:
    # PostgreSQL's sums are of a wider type than the column that they are stored in.
    return func.coalesce(value, 0).cast(BigInt)
