"""How Alembic reaches the database: by a connection handed in, else by ``DATABASE_URL``."""

import asyncio
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON, BigInteger, Connection, Enum

from medici.kernel.db.base import Instant
from medici.kernel.db.database import Database
from medici.migrations.tables import METADATA
from medici.settings import Settings


def _written(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types into a new revision by their names."""
    if kind != "type":
        return False
    match item:
        case Instant():
            return "Instant()"
        case BigInteger():
            return "BigInt"
        case JSON():
            return "Json"
        case Enum():
            return f"sa.String({item.length})"
    return False


def _same_type(_context: Any, _column: Any, _stored: Any, stored: Any, wanted: Any) -> bool | None:
    """Compare an enum as the text that it is stored as."""
    if isinstance(wanted, Enum):
        return bool(getattr(stored, "length", None) != wanted.length)
    return None


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=False,
        render_item=_written,
        compare_type=_same_type,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _run_by_url() -> None:
    database = Database.open(Settings().database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(_run)
    await database.close()


handed_in = context.config.attributes.get("connection")
if handed_in is None:
    asyncio.run(_run_by_url())
else:
    _run(handed_in)
