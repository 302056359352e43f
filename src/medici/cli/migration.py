"""Writing the next revision: the difference between the models and a database at the newest one."""

import tempfile
from pathlib import Path

import typer
from alembic import command
from alembic.script import Script
from sqlalchemy import Connection

from medici.kernel.db.database import Database
from medici.migrations.configuration import alembic_config
from medici.migrations.revisions import newest_revision
from medici.migrations.upgrade import upgrade


async def write_revision(message: str) -> None:
    """Write it beside the others and tell where; it still wants to be read and mended by hand."""
    with tempfile.TemporaryDirectory() as directory:
        database = Database.open(f"sqlite:///{directory}/empty.db")
        await upgrade(database)
        async with database.engine.connect() as connection:
            path = await connection.run_sync(_write, message)
        await database.close()
    typer.echo(path)


def _write(connection: Connection, message: str) -> Path:
    following = f"{int(newest_revision() or 0) + 1:04}"
    config = alembic_config(connection)
    script = command.revision(config, message, autogenerate=True, rev_id=following)
    if not isinstance(script, Script):
        raise TypeError("one revision was asked for")
    return Path(script.path)
