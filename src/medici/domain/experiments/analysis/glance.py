"""All running experiments at a glance: who was assigned what lately, and who began to pay."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    SQLColumnExpression,
    Subquery,
    and_,
    case,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Assignment, Experiment, ExperimentStatus
from medici.domain.events.models import Event
from medici.domain.experiments.analysis.cohorts import SINCE, UNTIL, is_exposed, is_followed
from medici.domain.experiments.analysis.joining import with_every_assignment
from medici.domain.experiments.analysis.sums import Sums
from medici.domain.experiments.metrics.facts import is_paid_activation
from medici.kernel.db.base import Instant

MOST = 20
KEYS = (Assignment.experiment_id, Assignment.variant_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """A variant's users of a window: how many have it, and of those compared, who began to pay."""

    assigned: int = 0
    paying: Sums = field(default_factory=Sums)


async def running(session: AsyncSession) -> Sequence[Experiment]:
    """Return the experiments that run, the last changed first."""
    newest = (Experiment.updated_at.desc(), Experiment.experiment_id)
    found = await session.scalars(
        select(Experiment)
        .where(Experiment.status == ExperimentStatus.RUNNING)
        .order_by(*newest)
        .limit(MOST)
    )
    return found.all()


async def glimpses(session: AsyncSession, since: datetime) -> dict[tuple[str, str], Glimpse]:
    """Return every variant of the running experiments that got users since then."""
    met = await session.execute(_met(since))
    paid: defaultdict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in await session.execute(_activated(since)):
        paid[row.experiment_id, row.variant_id] = row.paying, row.had_paid
    return {
        (row.experiment_id, row.variant_id): _glimpse(row, *paid[row.experiment_id, row.variant_id])
        for row in met
    }


def _glimpse(row: Row[Any], paying: int, had_paid: int) -> Glimpse:
    sums = Sums(n=row.exposed - had_paid, num=paying, num_sq=paying)
    return Glimpse(assigned=row.assigned, paying=sums)


def _met(since: datetime) -> Any:
    met_at = func.coalesce(SINCE, Assignment.assigned_at)
    return (
        select(
            *KEYS,
            func.count().label("assigned"),
            func.count(case((is_exposed(), 1))).label("exposed"),
        )
        .join_from(Experiment, Assignment, _of_its_phase())
        .where(_runs(), _from(met_at, since))
        .group_by(*KEYS)
    )


def _activated(since: datetime) -> Any:
    first = _first_activations()
    return (
        select(
            *KEYS,
            func.count(case((is_followed(first.c.at), 1))).label("paying"),
            func.count(case((first.c.at < SINCE, 1))).label("had_paid"),
        )
        .select_from(with_every_assignment(first))
        .join(Experiment, _of_its_phase())
        .where(_runs(), is_exposed(), _from(SINCE, since), first.c.at < UNTIL)
        .group_by(*KEYS)
    )


def _first_activations() -> Subquery:
    return (
        select(Event.user_id, func.min(Event.occurred_at).label("at"))
        .where(is_paid_activation(), Event.user_id.is_not(None))
        .group_by(Event.user_id)
        .subquery("first_activations")
    )


def _of_its_phase() -> ColumnElement[bool]:
    return and_(
        Assignment.experiment_id == Experiment.experiment_id,
        Assignment.phase == Experiment.phase,
        Assignment.bucket_version == Experiment.bucket_version,
    )


def _runs() -> ColumnElement[bool]:
    return and_(Experiment.status == ExperimentStatus.RUNNING, Assignment.enrolled.is_(True))


def _from(moment: SQLColumnExpression[Any], since: datetime) -> ColumnElement[bool]:
    return moment >= literal(since, Instant())
