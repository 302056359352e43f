"""Which facts count towards which measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Double, Integer, and_, case, cast, func, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from medici.adapters.providers.request import Tier
from medici.domain.analytics.adding import CANCELED, COMPLETED, FAILED, ON_THE_WAY
from medici.domain.events.facts import EventName
from medici.domain.events.models import Event
from medici.domain.experiments.metrics.measures import Measure

MICROS = 1_000_000
CHECKOUTS = (EventName.CHECKOUT_STARTED, "web_checkout_started", "checkout_session_started")
ACTIVATIONS = (EventName.SUBSCRIPTION_ACTIVATED, EventName.TRIAL_CONVERTED)
TRIALING = "trialing"
OURS = frozenset(EventName) - frozenset(CHECKOUTS)
OUR_PREFIXES = ("render_", "credits_", "subscription_")  # whatever follows, only servers know it


class _IsOfRender(FunctionElement[int]):
    """That a name begins with ``render_``, such that SQLite looks into its index of names."""

    name = "is_of_render"
    type = Integer()  # a boolean would be compared with 1, and no index helps with that
    inherit_cache = True


@compiles(_IsOfRender, "postgresql")
def _postgres_prefix(element: _IsOfRender, compiler: SQLCompiler, **options: Any) -> str:
    return f"starts_with({compiler.process(element.clauses, **options)}, 'render_')"


@compiles(_IsOfRender, "sqlite")
def _sqlite_prefix(element: _IsOfRender, compiler: SQLCompiler, **options: Any) -> str:
    name = compiler.process(element.clauses, **options)
    return f"({name} >= 'render_' AND {name} < 'render`')"


def is_ended_render() -> ColumnElement[bool]:
    """Return the condition that a fact tells how a render ended."""
    return and_(
        Event.trusted.is_(True),
        _IsOfRender(Event.name),
        Event.name.not_in(ON_THE_WAY),
        Event.status.in_((*COMPLETED, *FAILED, *CANCELED)),
    )


def is_timed() -> ColumnElement[bool]:
    """Return the condition that a fact tells how long a finished render took."""
    return and_(is_ended_render(), FINISHED, Event.latency_ms.is_not(None))


def is_paid_activation() -> ColumnElement[bool]:
    """Return the condition that a fact tells of a customer who began to pay for a plan."""
    return and_(
        Event.name.in_(ACTIVATIONS),
        Event.trusted.is_(True),
        func.coalesce(Event.status, "") != TRIALING,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """Facts of one sort: which they are, and what each of them adds to which measure.

    A measure whose value is None counts facts.
    """

    name: str
    facts: ColumnElement[bool]
    adding: Mapping[Measure, tuple[ColumnElement[bool], ColumnElement[Any] | None]]


def sorts_of_deeds(event_name: str | None) -> Sequence[Deeds]:
    """Return every sort of facts that measures are added up from."""
    return (
        RENDERS,
        CREDITS,
        _counted("checkouts", Measure.CHECKOUTS, CHECKED_OUT),
        _named(event_name),
    )


def _counted(name: str, measure: Measure, facts: ColumnElement[bool]) -> Deeds:
    return Deeds(name=name, facts=facts, adding={measure: (ALL, None)})


def _named(event_name: str | None) -> Deeds:
    named = Event.name == event_name
    if event_name in OURS or (event_name or "").startswith(OUR_PREFIXES):
        named = and_(named, Event.trusted.is_(True))
    return _counted("named", Measure.NAMED, named)


def _number(column: InstrumentedAttribute[Any]) -> ColumnElement[float]:
    return cast(column, Double)


ALL: ColumnElement[bool] = literal(value=True)
DELIVERED = Event.status.in_(COMPLETED)
FINISHED = Event.status.in_((*COMPLETED, *FAILED))
CHECKED_OUT = Event.name.in_(CHECKOUTS)
CONSUMED = and_(Event.name == EventName.CREDITS_CONSUMED, Event.trusted.is_(True))
RENDERS = Deeds(
    name="renders",
    facts=is_ended_render(),
    adding={
        Measure.COMPLETED: (DELIVERED, None),
        Measure.FAILED: (Event.status.in_(FAILED), None),
        Measure.ENDED: (ALL, None),
        Measure.TIMED: (and_(FINISHED, Event.latency_ms.is_not(None)), None),
        Measure.LATENCY_MS: (FINISHED, _number(Event.latency_ms)),
        Measure.COST_USD: (ALL, _number(Event.cost_micros) / float(MICROS)),
        Measure.PREVIEWS: (and_(DELIVERED, Event.tier == Tier.PREVIEW), None),
        Measure.FINALS: (and_(DELIVERED, Event.tier == Tier.FINAL), None),
    },
)
CREDITS = Deeds(
    name="credits",
    facts=or_(and_(is_ended_render(), DELIVERED), CONSUMED),
    adding={Measure.CREDITS: (ALL, _number(Event.credits))},
)


def added_up(
    condition: ColumnElement[bool],
    value: ColumnElement[Any] | None,
    within: ColumnElement[bool] | None = None,
) -> ColumnElement[Any]:
    """Return what facts that meet a condition, and lie ``within``, come to."""
    wanted = condition if within is None else and_(condition, within)
    if value is None:
        return func.count(case((wanted, 1)))
    return func.coalesce(func.sum(case((wanted, value))), 0.0)
