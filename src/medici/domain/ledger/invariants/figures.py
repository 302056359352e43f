"""The figures that the checks compare."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, select
from sqlalchemy.orm import InstrumentedAttribute

from medici.domain.ledger.models import Grant, HoldLine, LedgerEntry

Contradictions = Select[
    *tuple[Any, ...]
]  # the wallet first, then labelled figures that do not agree

UNUSED = Grant.amount - Grant.consumed - Grant.held - Grant.expired - Grant.revoked


def total() -> ColumnElement[Any]:
    return func.sum(LedgerEntry.amount).label("sum")


def or_zero(figure: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(figure, 0)


def sum_of(which: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((which, LedgerEntry.amount), else_=0))


def per_hold(column: InstrumentedAttribute[int]) -> Subquery:
    return (
        select(HoldLine.hold_id, func.sum(column).label("total"))
        .group_by(HoldLine.hold_id)
        .subquery()
    )
