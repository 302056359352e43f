"""Facts and whose they are, joined such that no database goes through one for each of the other."""

from typing import Any, cast

from sqlalchemy import ColumnElement, Join, and_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from medici.domain.assignments.models import Assignment


class _InThisOrder(Join):
    """A join whose left side SQLite reads first; without statistics it may guess badly."""

    inherit_cache = True

    @property
    def condition(self) -> ColumnElement[Any]:
        return cast("ColumnElement[Any]", self.onclause)


def with_assignments(table: Any, experiment_id: str) -> Join:
    """Join rows that belong to users with their assignments, each found by its primary key."""
    theirs = and_(Assignment.experiment_id == experiment_id, Assignment.user_id == table.c.user_id)
    return _InThisOrder(table, Assignment.__table__, theirs)


def with_every_assignment(table: Any) -> Join:
    """Join rows that belong to users with their assignments in all experiments."""
    return _InThisOrder(table, Assignment.__table__, Assignment.user_id == table.c.user_id)


@compiles(_InThisOrder, "sqlite")
def _cross_join(join: _InThisOrder, compiler: SQLCompiler, **options: Any) -> str:
    inner = {**options, "asfrom": True}
    left, right = (compiler.process(each, **inner) for each in (join.left, join.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(join.condition, **options)}"
