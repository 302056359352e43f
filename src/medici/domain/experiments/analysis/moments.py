"""Arithmetic with moments, in the SQL of both databases."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, SQLColumnExpression, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from medici.kernel.db.base import BigInt, Instant

HOUR = timedelta(hours=1)


class _Later(FunctionElement[datetime]):
    name = "later"
    type = Instant()
    inherit_cache = True


class _MicrosOf(FunctionElement[int]):
    name = "micros_of"
    type = BigInt
    inherit_cache = True


def later(moment: SQLColumnExpression[Any], by: timedelta) -> ColumnElement[datetime]:
    """Return the moment so many whole hours later."""
    return _Later(moment, literal(by // HOUR, Integer))


def micros_of(moment: SQLColumnExpression[Any]) -> ColumnElement[int]:
    """Return a moment as microseconds since 1970."""
    return _MicrosOf(moment)


@compiles(_Later, "postgresql")
def _postgres_later(element: _Later, compiler: SQLCompiler, **options: Any) -> str:
    moment, hours = (compiler.process(each, **options) for each in element.clauses)
    return f"({moment} + make_interval(hours => {hours}))"


@compiles(_MicrosOf, "postgresql")
def _postgres_micros(element: _MicrosOf, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"CAST(extract(epoch FROM {moment}) * 1000000 AS BIGINT)"


# SQLite stores moments as text such as 2026-11-24 12:34:56.000000, and its own functions keep no
# more than thousandths of a second: what is finer is cut off first, and put back.
@compiles(_Later, "sqlite")
def _sqlite_later(element: _Later, compiler: SQLCompiler, **options: Any) -> str:
    moment, hours = (compiler.process(each, **options) for each in element.clauses)
    return f"(datetime(substr({moment}, 1, 19), {hours} || ' hours') || substr({moment}, 20))"


@compiles(_MicrosOf, "sqlite")
def _sqlite_micros(element: _MicrosOf, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    seconds = f"CAST(strftime('%s', substr({moment}, 1, 19)) AS INTEGER)"
    return f"({seconds} * 1000000 + CAST(substr({moment}, 21) AS INTEGER))"
