"""SQLite's own driver, on a connection of the same thread or on that of a session."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import aiosqlite
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError


class SqliteDriver:
    """A transaction on a connection of this thread; what it is asked is answered at once."""

    def __init__(self, connection: sqlite3.Connection, engine: Engine) -> None:
        self._connection = connection
        self.engine = engine
        self.follow: list[Callable[[], None]] = []

    async def fetch(self, sql: str, arguments: Sequence[object]) -> Sequence[Sequence[Any]]:
        """Run one statement."""
        try:
            return self._connection.execute(sql, arguments).fetchall()
        except sqlite3.Error as error:
            raise told(sql, error) from error

    def after_commit(self, follow: Callable[[], None]) -> None:
        """Keep a function until the transaction has committed."""
        self.follow.append(follow)


class LentSqliteDriver:
    """The transaction of a session, which lives in aiosqlite's thread."""

    def __init__(
        self,
        connection: aiosqlite.Connection,
        engine: Engine,
        after_commit: Callable[[Callable[[], None]], None],
    ) -> None:
        self._connection = connection
        self.engine = engine
        self.after_commit = after_commit

    async def fetch(self, sql: str, arguments: Sequence[object]) -> Sequence[Sequence[Any]]:
        """Run one statement."""
        try:
            return list(await self._connection.execute_fetchall(sql, arguments))
        except sqlite3.Error as error:
            raise told(sql, error) from error


def told(sql: str, error: sqlite3.Error) -> DBAPIError:
    """Put an error of SQLite into SQLAlchemy's words, without what was sent along."""
    return DBAPIError(sql, None, error, hide_parameters=True)
