"""What the database tells of an experiment: some sums per variant, whatever it holds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Assignment, Experiment
from medici.domain.experiments.analysis.cohorts import is_enrolled
from medici.domain.experiments.analysis.people import Wanted, each_user, measured
from medici.domain.experiments.analysis.sums import (
    NO_SUMS,
    NOTHING_DONE,
    Described,
    Sums,
    describing,
    read_described,
    read_sums,
    telling_stores,
    terms,
)
from medici.domain.experiments.metrics.measures import Measure, formula_of
from medici.kernel.db.base import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A variant: its recent users described, and the primary metric of these and of everybody."""

    described: Described = NOTHING_DONE
    recent: Sums = NO_SUMS
    everybody: Sums = NO_SUMS


NOTHING = Told()


async def sums(session: AsyncSession, wanted: Wanted) -> dict[str, Sums]:
    """Add the primary metric up for each variant that has users."""
    told = each_user(wanted).subquery("told")
    rows = await session.execute(
        select(told.c.variant_id, *_primary(told, wanted)).group_by(told.c.variant_id)
    )
    return {row["variant_id"]: read_sums(row) for row in rows.mappings()}


async def described(session: AsyncSession, wanted: Wanted) -> dict[str, Told]:
    """Add everything up in one pass over the facts."""
    told = each_user(wanted).subquery("told")
    rows = await session.execute(
        select(
            told.c.variant_id,
            told.c.recent,
            func.count().label("exposed"),
            func.sum(told.c.already_paid).label("had_paid"),
            *describing(told),
            *telling_stores(told),
            *_primary(told, wanted),
        )
        .group_by(told.c.variant_id, told.c.recent)
        .order_by(told.c.recent)
    )
    found: dict[str, Told] = {}
    for row in rows.mappings():  # a variant's older users before its recent ones
        here, is_recent = read_sums(row), bool(row["recent"])
        before = found.get(row["variant_id"], NOTHING).everybody
        found[row["variant_id"]] = Told(
            described=_described(row) if is_recent else NOTHING_DONE,
            recent=here if is_recent else NO_SUMS,
            everybody=before + here,
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """How many users of the phase a variant has, whether or not they saw it yet."""

    users: int = 0
    recent: int = 0
    multiply_exposed: int = 0


async def enrolled(
    session: AsyncSession, experiment: Experiment, recent_since: datetime
) -> dict[str, Enrolled]:
    """Count the enrolled users of each variant; recent ones by exposure, or else assignment."""
    met_at = func.coalesce(Assignment.first_exposed_at, Assignment.assigned_at)
    rows = await session.execute(
        select(
            Assignment.variant_id,
            func.count().label("users"),
            func.count(case((met_at >= literal(recent_since, Instant()), 1))).label("recent"),
            func.count(case((Assignment.multiply_exposed, 1))).label("multiply_exposed"),
        )
        .where(is_enrolled(experiment))
        .group_by(Assignment.variant_id)
    )
    return {
        row.variant_id: Enrolled(
            users=row.users, recent=row.recent, multiply_exposed=row.multiply_exposed
        )
        for row in rows
    }


def _described(row: RowMapping) -> Described:
    return read_described(row, exposed=row["exposed"], already_paid=row["had_paid"])


def _primary(told: Any, wanted: Wanted) -> list[ColumnElement[Any]]:
    counted = told.c.already_paid == 0 if Measure.PAID in wanted.primary_measures else None
    added = terms(formula_of(wanted.primary), measured(told, wanted), counted)
    n = func.count() if counted is None else func.count(case((counted, 1)))
    return [n.label("n"), *(func.sum(term).label(name) for name, term in added.items())]
