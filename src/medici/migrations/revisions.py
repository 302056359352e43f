"""At which revision of the schema a database is, and which ones we know."""

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from medici.kernel.db.database import Database
from medici.migrations.configuration import alembic_config


async def stored_revision(database: Database) -> str | None:
    """Return the revision that a database is at; None for an empty one."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_revision)


def newest_revision() -> str | None:
    return _history().get_current_head()


def known_revisions() -> frozenset[str]:
    return frozenset(script.revision for script in _history().walk_revisions())


def _history() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
