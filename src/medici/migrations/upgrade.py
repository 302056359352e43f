"""Bringing a database to the newest schema, one process at a time."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from alembic import command
from sqlalchemy import text

from medici.kernel.db.database import Database
from medici.kernel.db.url import sqlite_path
from medici.migrations.configuration import alembic_config
from medici.migrations.revisions import known_revisions, stored_revision

log = structlog.get_logger("medici.migrations")

LOCK_ID = 6_331_432_749  # of the advisory lock; any number, always the same


async def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema to a revision; other processes that want the same wait for this one.

    A database of a newer program is left alone: what it has beyond ours does not disturb us.
    """
    async with _alone(database):
        stored = await stored_revision(database)
        if stored is not None and stored not in known_revisions():
            log.warning("migrations.database_is_newer", revision=stored)
            return
        async with database.engine.begin() as connection:
            await connection.run_sync(lambda c: command.upgrade(alembic_config(c), revision))


async def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to a revision; ``base`` empties the database."""
    async with _alone(database), database.engine.begin() as connection:
        await connection.run_sync(lambda c: command.downgrade(alembic_config(c), revision))


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[None]:
    path = sqlite_path(database.engine.url)
    lock = _advisory_lock(database) if path is None else _file_lock(path)
    async with lock:
        yield


@asynccontextmanager
async def _advisory_lock(database: Database) -> AsyncIterator[None]:
    async with database.engine.connect() as connection:
        await connection.execute(text("SET lock_timeout = 0"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": LOCK_ID})
        yield


@asynccontextmanager
async def _file_lock(path: Path) -> AsyncIterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(f"{path}.migrating", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await asyncio.to_thread(fcntl.flock, descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
