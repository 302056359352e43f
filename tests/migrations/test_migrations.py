"""The schema's history leads to the schema that the models describe, and back to nothing."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from medici.kernel.db.database import Database
from medici.migrations.revisions import stored_revision
from medici.migrations.tables import METADATA
from medici.migrations.upgrade import downgrade, upgrade

SAMPLE = {
    "provider_settings_versions": "INSERT INTO provider_settings_versions "
    "(version, content, actor, reason, created_at) "
    "VALUES (1, '{}', 'a', 'r', '2026-01-01 00:00:00')",
    "audit_entries": "INSERT INTO audit_entries "
    "(id, at, action, proof, actor, target_kind, target_id) VALUES "
    "('00000000000000000000000000000001', '2026-01-01 00:00:00', 'a', 'system', 'a', 'k', 'i')",
}


async def table_names(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        names = await connection.run_sync(lambda c: inspect(c).get_table_names())
    return set(names) - {"alembic_version"}


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return list(compare_metadata(context, METADATA))


class TestHistory:
    async def test_leads_to_the_schema_of_the_models(self, database: Database) -> None:
        async with database.engine.connect() as connection:
            found = await connection.run_sync(differences)

        assert found == []

    async def test_goes_back_to_nothing_and_up_again(self, database: Database) -> None:
        before = await table_names(database)

        await downgrade(database, "base")
        emptied = await table_names(database)
        await upgrade(database)

        assert (emptied, await table_names(database)) == (set(), before)

    async def test_two_processes_that_start_at_once_migrate_once(self, database: Database) -> None:
        await downgrade(database, "base")
        other = Database.open(database.engine.url)

        await asyncio.gather(upgrade(database), upgrade(other))

        await other.close()
        assert await table_names(database) == set(METADATA.tables)


class TestNewerDatabase:
    async def test_is_left_alone(self, database: Database) -> None:
        async with database.transaction() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        await upgrade(database)

        assert await stored_revision(database) == "9999"


class TestAppendOnly:
    @pytest.mark.parametrize("table", ["audit_entries", "provider_settings_versions"])
    @pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
    async def test_the_database_itself_refuses(
        self, database: Database, table: str, change: str
    ) -> None:
        column = METADATA.tables[table].primary_key.columns[0].name
        async with database.transaction() as session:
            await session.execute(text(SAMPLE[table]))

        with pytest.raises(Exception, match="append-only"):
            async with database.transaction() as session:
                await session.execute(text(change.format(table, column, column)))
