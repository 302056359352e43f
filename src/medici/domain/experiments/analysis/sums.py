"""What users of a variant come to together: all that statistics need to know of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import ColumnElement, Double, RowMapping, and_, case, cast, func, or_

from medici.adapters.payments.news import Source
from medici.domain.experiments.metrics.measures import NONE, Columns, Formula, Measure

UNKNOWN = "unknown"
STORES = (Source.WEB, Source.IOS, Source.ANDROID)
USERS_WHO = {  # did all of it
    "paying": (Measure.PAID,),
    "checking_out": (Measure.CHECKOUTS,),
    "previewing": (Measure.PREVIEWS,),
    "finishing": (Measure.PREVIEWS, Measure.FINALS),
}
TOTALS = {
    "completed": Measure.COMPLETED,
    "failed": Measure.FAILED,
    "ended": Measure.ENDED,
    "timed": Measure.TIMED,
    "latency_ms": Measure.LATENCY_MS,
    "cost_usd": Measure.COST_USD,
}
COUNTS = ("completed", "failed", "ended", "timed")
DESCRIBED = frozenset(TOTALS.values()) | {each for all_ in USERS_WHO.values() for each in all_}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Of the primary metric: ``n`` users, the sums of their numerators and denominators, of the
    squares of these, and of one times the other. A metric without denominators has zeros there.
    """

    n: int = 0
    num: float = 0.0
    num_sq: float = 0.0
    den: float = 0.0
    den_sq: float = 0.0
    cross: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(**{each.name: _added(self, other, each.name) for each in fields(Sums)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What users did while they were followed: how many did it, and how often."""

    exposed: int = 0
    already_paid: int = 0
    paying: int = 0
    checking_out: int = 0
    previewing: int = 0
    finishing: int = 0  # previewing ones who took a final as well
    completed: int = 0
    failed: int = 0
    ended: int = 0
    timed: int = 0
    latency_ms: float = 0.0
    cost_usd: float = 0.0
    paid_sources: Mapping[str, int] = field(default_factory=dict)


NO_SUMS, NOTHING_DONE = Sums(), Described()


def terms(
    formula: Formula, columns: Columns, counted: ColumnElement[bool] | None = None
) -> dict[str, ColumnElement[Any]]:
    """Return what one user adds to each of the sums, but for ``n``; nothing unless counted."""
    num = _only(counted, formula.numerator(columns))
    found = {"num": num, "num_sq": num * num}
    if formula.denominator is not None:
        den = _only(counted, formula.denominator(columns))
        found |= {"den": den, "den_sq": den * den, "cross": num * den}
    return found


def read_sums(row: RowMapping, prefix: str = "") -> Sums:
    """Read the sums whose columns begin like this."""
    names = [each.name for each in fields(Sums)]
    return Sums(**{name: row[prefix + name] for name in names if prefix + name in row})


def describing(told: Any) -> list[ColumnElement[Any]]:
    """Return what users did as columns, out of their measures."""
    return [
        *(
            func.count(case((and_(*(told.c[each.value] > 0 for each in measures)), 1))).label(name)
            for name, measures in USERS_WHO.items()
        ),
        *(
            cast(func.sum(told.c[measure.value]), Double).label(f"total_{name}")
            for name, measure in TOTALS.items()
        ),
    ]


def telling_stores(told: Any) -> list[ColumnElement[Any]]:
    """Return how many users began to pay in each store as columns."""
    stores = {store.value: told.c.source == store.value for store in STORES}
    elsewhere = or_(told.c.source.is_(None), told.c.source.not_in([*stores]))
    return [
        func.count(case((and_(told.c.paid > 0, stood), 1))).label(f"paid_{store}")
        for store, stood in {**stores, UNKNOWN: elsewhere}.items()
    ]


def read_described(row: RowMapping, *, exposed: int = 0, already_paid: int = 0) -> Described:
    """Read what ``describing`` and, where it was asked for, ``telling_stores`` told."""
    stores = {store: row.get(f"paid_{store}") for store in (*map(str, STORES), UNKNOWN)}
    return Described(
        exposed=exposed,
        already_paid=already_paid,
        paid_sources={store: count for store, count in stores.items() if count},
        latency_ms=row["total_latency_ms"],
        cost_usd=row["total_cost_usd"],
        **{name: row[name] for name in USERS_WHO},
        **{name: round(row[f"total_{name}"]) for name in COUNTS},
    )


def _only(counted: ColumnElement[bool] | None, value: ColumnElement[Any]) -> ColumnElement[Any]:
    return value if counted is None else case((counted, value), else_=NONE)


def _added(one: Sums, other: Sums, name: str) -> Any:
    return getattr(one, name) + getattr(other, name)
