"""SQLite's transactions in threads of their own, while requests are served in another.

A transaction is written as for any driver. Since nothing in it ever waits, it can be run from
beginning to end in such a thread.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from medici.kernel.db.driver.sqlite import SqliteDriver, told
from medici.kernel.db.driver.transaction import Work
from medici.kernel.db.engine import prepare_sqlite

T = TypeVar("T")
STATEMENTS_KEPT = 512


class SqliteThreads:
    """The thread that writes and the one that reads; each opens when it is first needed."""

    def __init__(self, engine: AsyncEngine) -> None:
        path = engine.url.database or ""
        self.writing = SqliteThread(path, engine.sync_engine, begin="BEGIN IMMEDIATE")
        self.reading = SqliteThread(path, engine.sync_engine, begin="BEGIN")

    def close(self) -> None:
        """Finish what was begun and close the connections."""
        self.writing.close()
        self.reading.close()


class SqliteThread:
    """A thread with a connection; ``begin`` is the statement that begins its transactions."""

    def __init__(self, path: str, engine: Engine, *, begin: str) -> None:
        self._path = path
        self._engine = engine
        self._begin = begin
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="medici-sqlite")
        self._connection: sqlite3.Connection | None = None

    async def carry_out(self, work: Work[T]) -> tuple[T, list[Callable[[], None]]]:
        """Carry out work in a transaction; return its result and what follows the commit."""
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._thread, self._carried_out, work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait([working])  # nobody else writes as long as the thread does
            raise

    def close(self) -> None:
        """Finish what was begun and close the connection."""
        if self._connection is not None:
            self._thread.submit(self._connection.close).result()
            self._connection = None
        self._thread.shutdown()

    def _carried_out(self, work: Work[T]) -> tuple[T, list[Callable[[], None]]]:
        connection = self._opened()
        driver = SqliteDriver(connection, self._engine)
        _execute(connection, self._begin)
        try:
            result = _to_its_end(work(driver))
            _execute(connection, "COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result, driver.follow

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._connection = _open(self._path)
            except sqlite3.Error as error:
                raise told("", error) from error
        return self._connection


def _open(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, cached_statements=STATEMENTS_KEPT)
    try:
        prepare_sqlite(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("a transaction in a thread of SQLite's waited for something")


def _execute(connection: sqlite3.Connection, sql: str) -> None:
    try:
        connection.execute(sql)
    except sqlite3.Error as error:
        raise told(sql, error) from error
