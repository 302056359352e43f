"""Opening an engine: the settings of each database that our promises rest on."""

from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

READING = "medici_reading"  # execution option of connections that only read

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # what was acknowledged survives a power cut
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)
POSTGRES_SETTINGS = {
    "application_name": "medici",
    "timezone": "UTC",
    "lock_timeout": "20s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
}

DETAIL = "\nDETAIL:"  # how asyncpg sets it off


def open_engine(url: URL, *, pool_size: int = 10) -> AsyncEngine:
    """Make the engine of this process. It belongs to the event loop that first uses it."""
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url)
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=60,
        pool_use_lifo=True,
        hide_parameters=True,  # what customers sent is nothing for logs
        connect_args={"server_settings": POSTGRES_SETTINGS, "timeout": 5},
    )
    event.listen(engine.sync_engine, "handle_error", _forget_quoted_row)
    return engine


def _forget_quoted_row(context: ExceptionContext) -> None:
    """Take out of an error what PostgreSQL quotes in it: the row that it refused."""
    for told in (context.sqlalchemy_exception, context.original_exception):
        match told:
            case BaseException(args=(str(text), *rest)):
                told.args = (text.partition(DETAIL)[0], *rest)
    refused = context.original_exception.__cause__
    if isinstance(refused, asyncpg.PostgresError):
        refused.detail = None


def _open_sqlite(url: URL) -> AsyncEngine:
    if url.database:
        Path(url.database).absolute().parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url, pool_size=5, max_overflow=5, pool_timeout=60, hide_parameters=True
    )
    event.listen(engine.sync_engine, "connect", _prepare_pooled)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_pooled(connection: Any, _entry: ConnectionPoolEntry) -> None:
    prepare_sqlite(connection)


def prepare_sqlite(connection: Any) -> None:
    """Give a new connection to SQLite, of whichever driver, the settings that we rely on."""
    connection.isolation_level = None  # transactions begin where we say
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
