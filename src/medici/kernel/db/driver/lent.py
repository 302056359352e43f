"""The driver of a session's own transaction."""

from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from medici.kernel.db.driver.postgres import PostgresDriver
from medici.kernel.db.driver.sqlite import LentSqliteDriver
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.db.following import after_commit

BEGIN = text("SELECT 1")


async def driver_of(session: AsyncSession) -> Driver:
    """Return the driver of a session's transaction, after what the session has to write."""
    await session.flush()
    connection = await session.connection()
    lent: Any = (await connection.get_raw_connection()).driver_connection
    engine = session.get_bind().engine
    follow = partial(after_commit, session)
    if engine.dialect.name == "sqlite":
        return LentSqliteDriver(lent, engine, follow)
    if not lent.is_in_transaction():
        await session.execute(BEGIN)  # it begins with the first statement only
    return PostgresDriver(lent, engine, follow)
