"""The database of one process: write transactions, reads, and what follows a commit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Literal, TypeVar, cast

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from medici.kernel.db.driver import postgres
from medici.kernel.db.driver.sqlite_threads import SqliteThreads
from medici.kernel.db.driver.transaction import Work
from medici.kernel.db.engine import READING, open_engine
from medici.kernel.db.errors import DatabaseUnavailable, is_outage
from medici.kernel.db.following import AFTER_COMMIT
from medici.kernel.db.url import database_url

Dialect = Literal["sqlite", "postgresql"]
T = TypeVar("T")


class Database:
    """An engine with the one write gate of the process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.dialect = cast("Dialect", engine.dialect.name)
        self._reading = engine.execution_options(**{READING: True})
        self._gate = asyncio.Lock() if self.dialect == "sqlite" else nullcontext()
        self._threads = SqliteThreads(engine) if self.dialect == "sqlite" else None

    @classmethod
    def open(cls, url: str | URL, *, pool_size: int = 10) -> "Database":
        """Open the database that a connection string names; nothing is connected yet."""
        target = database_url(url) if isinstance(url, str) else url
        return cls(open_engine(target, pool_size=pool_size))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Give a session that commits once at the end, or rolls back whatever was raised.

        Raises:
            DatabaseUnavailable: the database is away, full, locked or read-only.
        """
        async with (
            self._gate,
            self._outages_named(),
            AsyncSession(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
        for follow in session.info.get(AFTER_COMMIT, ()):
            follow()

    async def carry_out(self, work: Work[T]) -> T:
        """Run work on the driver itself, in one transaction, and return its result.

        On SQLite it runs in a thread of its own, so it must wait for nothing but the driver.

        Raises:
            DatabaseUnavailable: as ``transaction`` does.
        """
        async with self._gate, self._outages_named():
            if self._threads:
                result, follow = await self._threads.writing.carry_out(work)
            else:
                result, follow = await postgres.carry_out(self.engine, work)
        for each in follow:
            each()
        return result

    async def look(self, work: Work[T]) -> T:
        """Run reads on the driver itself; on PostgreSQL each of them sees a moment of its own.

        On SQLite they run in a thread, as with ``carry_out``.
        """
        async with self._outages_named():
            if self._threads:
                result, _ = await self._threads.reading.carry_out(work)
                return result
            return await postgres.look(self.engine, work)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Give a session for reads alone; it sees one moment and waits for no writer."""
        async with (
            self._outages_named(),
            AsyncSession(self._reading, expire_on_commit=False, autoflush=False) as session,
        ):
            yield session

    async def check(self) -> None:
        """Ask the database for a sign of life."""
        async with self.reading() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        if self._threads:
            self._threads.close()
        await self.engine.dispose()

    @asynccontextmanager
    async def _outages_named(self) -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:
            if is_outage(error):
                raise DatabaseUnavailable from error
            raise
