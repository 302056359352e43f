"""asyncpg, without what lies over it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import asyncpg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from medici.kernel.db.driver.transaction import Work

T = TypeVar("T")
ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class PostgresDriver:
    """A transaction on an asyncpg connection; somebody else begins and ends it."""

    def __init__(
        self,
        connection: "asyncpg.Connection",
        engine: Engine,
        after_commit: Callable[[Callable[[], None]], None],
    ) -> None:
        self._connection = connection
        self.engine = engine
        self.after_commit = after_commit

    async def fetch(self, sql: str, arguments: Sequence[object]) -> Sequence[Sequence[Any]]:
        """Run one statement; asyncpg keeps it prepared."""
        try:
            rows: list[Sequence[Any]] = await self._connection.fetch(sql, *arguments)
        except ERRORS as error:
            if isinstance(error, asyncpg.InternalClientError):
                # It has lost its place in the protocol, as when the server died between two words.
                self._connection.terminate()
            raise _told(sql, error, lost=self._connection.is_closed()) from error
        return rows


async def carry_out(engine: AsyncEngine, work: Work[T]) -> tuple[T, list[Callable[[], None]]]:
    """Carry out work in a transaction; return its result and what follows the commit."""
    follow: list[Callable[[], None]] = []
    async with _lent(engine) as connection, connection.transaction():
        result = await work(PostgresDriver(connection, engine.sync_engine, follow.append))
    return result, follow


async def look(engine: AsyncEngine, work: Work[T]) -> T:
    """Run reads, each by itself."""
    async with _lent(engine) as connection:
        return await work(PostgresDriver(connection, engine.sync_engine, _ignored))


@asynccontextmanager
async def _lent(engine: AsyncEngine) -> AsyncIterator["asyncpg.Connection"]:
    """Take a connection out of the pool; one that was lost does not go back."""
    async with engine.connect() as pooled:
        connection = cast(
            "asyncpg.Connection", (await pooled.get_raw_connection()).driver_connection
        )
        try:
            yield connection
        except BaseException as error:
            if connection.is_in_transaction() or isinstance(error, asyncpg.InternalClientError):
                connection.terminate()  # its end was cancelled or lost as well
            if lost := connection.is_closed():
                await pooled.invalidate()
            if isinstance(error, ERRORS):  # from the beginning or the end of the transaction
                raise _told("", error, lost=lost) from error
            raise


def _ignored(_follow: Callable[[], None]) -> None:
    """Forget what should follow a commit, since there is none."""


def _told(sql: str, error: Exception, *, lost: bool) -> DBAPIError:
    """Put an error of asyncpg into SQLAlchemy's words, without what was sent along."""
    if isinstance(error, asyncpg.PostgresError):
        error.detail = None  # it quotes the row that was refused
    if type(error) is asyncpg.DataError:  # asyncpg's own, which quotes the value
        error.args = (str(error).partition(":")[0],)
    return DBAPIError(sql, None, error, hide_parameters=True, connection_invalidated=lost)
