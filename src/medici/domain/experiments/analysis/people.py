"""Users who are compared, and what each of them came to, as selects of one row per user.

Each sort of facts is added up by itself and put below the users, everybody with nothing first;
adding up once more then leaves a row for each. No two large results are joined, for which SQLite
would need an index that it may not think of.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Double,
    Label,
    Select,
    SQLColumnExpression,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from medici.adapters.payments.news import Ownership, Paid
from medici.domain.assignments.models import Assignment, Experiment
from medici.domain.billing.models import StoreTransaction
from medici.domain.events.models import Event
from medici.domain.experiments.analysis.cohorts import (
    SINCE,
    in_span,
    is_compared,
    is_followed,
    is_past,
    no_earlier,
)
from medici.domain.experiments.analysis.joining import with_assignments
from medici.domain.experiments.analysis.slots import Slots
from medici.domain.experiments.metrics.facts import (
    Deeds,
    added_up,
    is_paid_activation,
    sorts_of_deeds,
)
from medici.domain.experiments.metrics.keys import Metric
from medici.domain.experiments.metrics.measures import NONE, ONE, Measure, formula_of
from medici.kernel.db.base import Instant
from medici.kernel.environment import Environment

Columns: TypeAlias = Mapping[str, ColumnElement[Any]]
NO_TEXT = cast(null(), Text)
CENTS = 100.0
FLAGS = ("entered", "recent", "already_paid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of an experiment's users.

    ``described`` are measures over all the time that a user is followed; those of the primary
    metric keep to its span. Users first exposed from ``recent_since`` on are told apart, and so is
    what lies in different ``slots``. With ``past`` it is what users did before their exposure.
    """

    experiment: Experiment
    primary: Metric
    described: Collection[Measure] = ()
    recent_since: datetime | None = None
    slots: Slots | None = None
    past: bool = False

    @property
    def primary_measures(self) -> frozenset[Measure]:
        return formula_of(self.primary).measures

    @property
    def names(self) -> list[str]:
        """Return the measures by the names of their columns."""
        primary = sorted(self.primary_measures)
        return [*sorted(self.described), *(f"primary_{each}" for each in primary)]

    def columns(self, adding: Mapping[Measure, ColumnElement[Any]], in_span: Columns) -> Columns:
        """Return some measures by their names, those of the primary metric within its span."""
        described = {each.value: adding[each] for each in adding if each in self.described}
        primary = {
            f"primary_{each}": in_span[each] for each in adding if each in self.primary_measures
        }
        return {**described, **primary}


def is_recent(wanted: Wanted) -> ColumnElement[bool]:
    if wanted.recent_since is None:
        return literal(value=True)
    return literal(wanted.recent_since, Instant()) <= SINCE


def each_user(wanted: Wanted) -> Select[Any]:
    """Select what each user came to: measures by their names, the primary's as ``primary_…``.

    Beside them: ``already_paid``, and ``source``, the store of a first activation.
    """
    told = parts(wanted)
    return select(
        told.c.user_id,
        told.c.variant_id,
        *(func.max(told.c[name]).label(name) for name in (*FLAGS, "source")),
        *(func.sum(told.c[name]).label(name) for name in wanted.names),
    ).group_by(told.c.user_id, told.c.variant_id)


def parts(wanted: Wanted) -> Subquery:
    """Select what each user came to, sort by sort and slot by slot, and each user once besides."""
    found = [_everybody(wanted), *_deeds(wanted), *_purchases(wanted)]
    return union_all(*(_laid_out(part, wanted) for part in found)).subquery("parts")


def measured(told: Any, wanted: Wanted) -> Mapping[Measure, ColumnElement[Any]]:
    """Return the columns of ``each_user`` that the primary metric is put together from."""
    return {each: told.c[f"primary_{each}"] for each in wanted.primary_measures}


def _laid_out(part: Subquery, wanted: Wanted) -> Select[Any]:
    """Give every part the same columns; what it does not tell is nothing."""
    told = part.c
    slot = [told.slot] if wanted.slots else []
    return select(
        told.user_id,
        told.variant_id,
        *slot,
        told.get("source", NO_TEXT).label("source"),
        *(told.get(name, literal(0)).label(name) for name in FLAGS),
        *(cast(told.get(name, NONE), Double).label(name) for name in wanted.names),
    )


def _keys(
    wanted: Wanted, user_id: SQLColumnExpression[Any], moment: SQLColumnExpression[Any]
) -> list[Any]:
    slot = [wanted.slots.of(moment).label("slot")] if wanted.slots else []
    return [user_id, Assignment.variant_id, *slot]


def _named(keys: list[Any]) -> list[Any]:
    """Group by the slot's name, since its expression would be bound to other parameters."""
    return [each.name if isinstance(each, Label) else each for each in keys]


def _everybody(wanted: Wanted) -> Subquery:
    return (
        select(
            *_keys(wanted, Assignment.user_id, SINCE),
            literal(1).label("entered"),
            case((is_recent(wanted), 1), else_=0).label("recent"),
        )
        .where(is_compared(wanted.experiment))
        .subquery("everybody")
    )


def _deeds(wanted: Wanted) -> Iterator[Subquery]:
    """Add up each user's facts, sort by sort."""
    span = in_span(wanted.primary, Event.occurred_at)
    for sort in sorts_of_deeds(wanted.primary.event_name):
        columns = wanted.columns(
            {each: added_up(*adding) for each, adding in sort.adding.items()},
            {each: added_up(*adding, span) for each, adding in sort.adding.items()},
        )
        if columns:
            yield _done_by_each(wanted, sort, columns)


def _done_by_each(wanted: Wanted, sort: Deeds, columns: Columns) -> Subquery:
    keys = _keys(wanted, Event.user_id, Event.occurred_at)
    return (
        select(*keys, *(column.label(name) for name, column in columns.items()))
        .select_from(with_assignments(Event.__table__, wanted.experiment.experiment_id))
        .where(
            sort.facts,
            is_compared(wanted.experiment),
            *_facts_in_time(wanted),
        )
        .group_by(*_named(keys))
        .subquery(sort.name)
    )


def _facts_in_time(wanted: Wanted) -> list[ColumnElement[bool]]:
    if wanted.past:
        return [is_past(Event.occurred_at)]
    return [is_followed(Event.occurred_at), *no_earlier(wanted.experiment)]


def _purchases(wanted: Wanted) -> Iterator[Subquery]:
    measures = {*wanted.described, *wanted.primary_measures}
    if Measure.PAID in measures:
        yield _first_activations(wanted)
    if Measure.REVENUE_USD in measures:
        yield _revenue(wanted)


def _first_activations(wanted: Wanted) -> Subquery:
    """Tell of the first time ever that each user began to pay."""
    place = func.row_number().over(
        partition_by=Event.user_id, order_by=(Event.occurred_at, Event.id)
    )
    in_time = is_followed(Event.occurred_at)
    activated_in_span = and_(in_time, in_span(wanted.primary, Event.occurred_at))
    columns = wanted.columns(
        {Measure.PAID: case((in_time, ONE), else_=NONE)},
        {Measure.PAID: case((activated_in_span, ONE), else_=NONE)},
    )
    activations = (
        select(
            *_keys(wanted, Event.user_id, Event.occurred_at),
            Event.platform.label("source"),
            case((Event.occurred_at < SINCE, 1), else_=0).label("already_paid"),
            *(column.label(name) for name, column in columns.items()),
            place.label("place"),
        )
        .select_from(with_assignments(Event.__table__, wanted.experiment.experiment_id))
        .where(is_paid_activation(), is_compared(wanted.experiment))
        .subquery("activations")
    )
    return select(activations).where(activations.c.place == 1).subquery("first_activations")


def _revenue(wanted: Wanted) -> Subquery:
    """Add up what each user paid less what they got back, in US dollars."""
    paid = StoreTransaction
    keys = _keys(wanted, paid.user_id, paid.paid_at)
    net = cast(paid.amount_minor - paid.refunded_minor, Double) / CENTS
    paid_in_span = case((in_span(wanted.primary, paid.paid_at), net), else_=NONE)
    columns = wanted.columns(
        {Measure.REVENUE_USD: func.sum(net)}, {Measure.REVENUE_USD: func.sum(paid_in_span)}
    )
    return (
        select(*keys, *(column.label(name) for name, column in columns.items()))
        .select_from(with_assignments(paid.__table__, wanted.experiment.experiment_id))
        .where(
            is_compared(wanted.experiment),
            is_past(paid.paid_at) if wanted.past else is_followed(paid.paid_at),
            paid.environment == Environment.PRODUCTION,
            paid.ownership == Ownership.PURCHASED,
            paid.paid != Paid.TRIAL,
            func.lower(paid.currency) == "usd",
            paid.amount_minor.is_not(None),
        )
        .group_by(*_named(keys))
        .subquery("revenue")
    )
