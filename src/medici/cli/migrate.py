"""Moving the database to another revision, and saying from where to where."""

import typer

from medici.cli.process import command_settings, database_alone
from medici.migrations.revisions import stored_revision
from medici.migrations.upgrade import downgrade, upgrade


async def migrate(*, revision: str, down: str | None) -> None:
    """Go up to ``revision``, or back to ``down`` where that is given."""
    async with database_alone(command_settings()) as database:
        before = await stored_revision(database)
        if down is None:
            await upgrade(database, revision)
        else:
            await downgrade(database, down)
        after = await stored_revision(database)
    typer.echo(f"revision {before or 'none'} → {after or 'none'}")
