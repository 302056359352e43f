"""Being the only one at something, for as long as it takes and over many transactions.

PostgreSQL keeps the lock with a connection, SQLite's deployments with a file beside the database.
Both let go of it by themselves when the process that holds it dies.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text

from medici.kernel.db.database import Database
from medici.kernel.db.url import sqlite_path

LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
LONGEST = "900s"  # that a process which hangs can keep others away


class Taken(Exception):  # no MediciError: whoever asks has a name for it
    """Somebody else is at it."""


@asynccontextmanager
async def exclusively(database: Database, name: str) -> AsyncIterator[None]:
    """Hold a named lock while the block runs.

    Raises:
        Taken: somebody else holds it, in this process or another; nobody waits.
    """
    path = sqlite_path(database.engine.url)
    lock = _with_connection(database, name) if path is None else _with_file(path, name)
    async with lock:
        yield


@asynccontextmanager
async def _with_connection(database: Database, name: str) -> AsyncIterator[None]:
    async with database.engine.connect() as connection:
        await connection.execute(
            text(f"SET LOCAL idle_in_transaction_session_timeout = '{LONGEST}'")
        )
        got = await connection.scalar(LOCK, {"name": name})
        if not got:
            raise Taken(name)
        yield


@asynccontextmanager
async def _with_file(path: Path, name: str) -> AsyncIterator[None]:
    descriptor = await asyncio.to_thread(_opened, Path(f"{path}.{name}"))
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Taken(name) from error
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
