"""The hour and the quarter of an hour that a moment lies in, in the SQL of both databases."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from medici.kernel.db.base import Instant


class _Floor(FunctionElement[datetime]):
    type = Instant()
    inherit_cache = True


class _HourOf(_Floor):
    name = "hour_of"
    inherit_cache = True


class _QuarterOf(_Floor):
    name = "quarter_of"
    inherit_cache = True


def hour_of(moment: InstrumentedAttribute[datetime]) -> ColumnElement[datetime]:
    return _HourOf(moment)


def quarter_of(moment: InstrumentedAttribute[datetime]) -> ColumnElement[datetime]:
    return _QuarterOf(moment)


@compiles(_HourOf, "postgresql")
def _postgres_hour(element: _HourOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"date_trunc('hour', {compiler.process(element.clauses, **options)}, 'UTC')"


@compiles(_QuarterOf, "postgresql")
def _postgres_quarter(element: _QuarterOf, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"date_bin('15 minutes', {moment}, TIMESTAMPTZ '2000-01-01 00:00:00+00')"


# SQLite stores moments as text such as 2026-11-24 12:34:56.000000.
@compiles(_HourOf, "sqlite")
def _sqlite_hour(element: _HourOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"substr({compiler.process(element.clauses, **options)}, 1, 13) || ':00:00.000000'"


@compiles(_QuarterOf, "sqlite")
def _sqlite_quarter(element: _QuarterOf, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    quarter = f"CAST(substr({moment}, 15, 2) AS INTEGER) / 15 * 15"
    return f"substr({moment}, 1, 14) || printf('%02d', {quarter}) || ':00.000000'"
