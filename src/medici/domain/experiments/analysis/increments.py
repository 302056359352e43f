"""How sums grew, slot by slot: what users add to them at each look."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Assignment
from medici.domain.experiments.analysis.cohorts import is_enrolled
from medici.domain.experiments.analysis.people import FLAGS, Wanted, parts
from medici.domain.experiments.analysis.slots import Slots
from medici.domain.experiments.analysis.sums import (
    NO_SUMS,
    NOTHING_DONE,
    Described,
    Sums,
    describing,
    read_described,
    read_sums,
    terms,
)
from medici.domain.experiments.metrics.measures import Measure, formula_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Increment:
    """What a slot brought a variant.

    ``grown`` is what the sums over everybody so far grew by; ``within`` the same sums as they
    would be, had there been nothing but this slot.
    """

    done: Described = NOTHING_DONE
    grown: Sums = NO_SUMS
    within: Sums = NO_SUMS


async def increments(session: AsyncSession, wanted: Wanted) -> dict[tuple[str, int], Increment]:
    """Return what each slot brought each variant; slots that brought nothing are left out."""
    grown = _growing(wanted).subquery("growing")
    rows = await session.execute(
        select(
            grown.c.variant_id, grown.c.slot, *describing(grown), *_primary(grown, wanted)
        ).group_by(grown.c.variant_id, grown.c.slot)
    )
    return {(row["variant_id"], row["slot"]): _read(row) for row in rows.mappings()}


async def enrolled_by_slot(
    session: AsyncSession, wanted: Wanted, slots: Slots
) -> dict[tuple[str, int], int]:
    """Count who got each variant in each slot."""
    met_at = func.coalesce(Assignment.first_exposed_at, Assignment.assigned_at)
    slot = slots.of(met_at).label("slot")
    rows = await session.execute(
        select(Assignment.variant_id, slot, func.count().label("users"))
        .where(is_enrolled(wanted.experiment))
        .group_by(Assignment.variant_id, "slot")
    )
    return {(row.variant_id, row.slot): row.users for row in rows}


def _growing(wanted: Wanted) -> Select[Any]:
    """Select of each user and slot: what it brought, and what they had come to by its end."""
    told = parts(wanted)
    here = (
        select(
            told.c.user_id,
            told.c.variant_id,
            told.c.slot,
            *(func.max(told.c[name]).label(name) for name in FLAGS),
            *(func.sum(told.c[name]).label(name) for name in wanted.names),
        )
        .group_by(told.c.user_id, told.c.variant_id, told.c.slot)
        .subquery("here")
    )
    had_paid = func.max(here.c.already_paid).over(partition_by=here.c.user_id)
    return select(
        here,
        had_paid.label("had_paid"),
        *(
            func.sum(here.c[f"primary_{each}"])
            .over(partition_by=here.c.user_id, order_by=here.c.slot)
            .label(f"after_{each}")
            for each in wanted.primary_measures
        ),
    )


def _primary(told: Any, wanted: Wanted) -> list[ColumnElement[Any]]:
    """Return how far the sums grew: what they are after a slot less what they were before it."""
    formula, measures = formula_of(wanted.primary), wanted.primary_measures
    counted = told.c.had_paid == 0 if Measure.PAID in measures else None
    here = {each: told.c[f"primary_{each}"] for each in measures}
    after = {each: told.c[f"after_{each}"] for each in measures}
    before = {each: after[each] - here[each] for each in measures}
    then, now = terms(formula, before, counted), terms(formula, after, counted)
    entered = told.c.entered == 1
    n = func.count(case((entered if counted is None else and_(entered, counted), 1)))
    return [
        n.label("grown_n"),
        *(func.sum(now[name] - then[name]).label(f"grown_{name}") for name in now),
        *(
            func.sum(term).label(f"within_{name}")
            for name, term in terms(formula, here, counted).items()
        ),
    ]


def _read(row: RowMapping) -> Increment:
    return Increment(
        done=read_described(row),
        grown=read_sums(row, "grown_"),
        within=read_sums(row, "within_"),
    )
