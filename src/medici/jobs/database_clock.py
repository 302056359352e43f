"""The database's own clock inside SQL, so that no decision rests on the clock of a worker."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from medici.kernel.db.base import Instant


class ClockAfter(FunctionElement[datetime]):
    """The database's time, later by the seconds of its one argument."""

    name = "clock_after"
    type = Instant()
    inherit_cache = True


# The same for statements written by hand; each takes the seconds as its one parameter.
CLOCK_AFTER_SQL = {
    "postgresql": "(clock_timestamp() + make_interval(secs => {seconds}))",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now', printf('%+.3f seconds', {seconds}))",
}


@compiles(ClockAfter)
def _compile(element: ClockAfter, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return CLOCK_AFTER_SQL[compiler.dialect.name].format(seconds=seconds)


def clock_after(seconds: float | ColumnElement[float] = 0.0) -> ColumnElement[datetime]:
    """Return the SQL expression of the moment that is so many seconds from now."""
    return ClockAfter(literal(seconds, Float) if isinstance(seconds, int | float) else seconds)


def clock_now() -> ColumnElement[datetime]:
    """Return the SQL expression of now as one value, which an index can be searched for."""
    return select(clock_after()).scalar_subquery()


async def database_time(session: AsyncSession) -> datetime:
    """Ask the database what time it is."""
    return (await session.execute(select(clock_after()))).scalar_one()
