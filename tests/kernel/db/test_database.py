"""Both databases keep the same promises to whoever opens a transaction."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from medici.kernel.db.database import Database
from medici.kernel.db.errors import DatabaseUnavailable, UnsupportedDatabase
from medici.kernel.db.following import after_commit
from medici.kernel.db.url import database_url


@pytest.fixture
async def table(database: Database) -> Database:
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE figures (n INTEGER)"))
        await connection.execute(text("INSERT INTO figures VALUES (0)"))
    return database


async def figure(database: Database) -> int:
    async with database.reading() as session:
        return int((await session.scalar(text("SELECT n FROM figures"))) or 0)


class TestTransaction:
    async def test_commits_at_the_end(self, table: Database) -> None:
        async with table.transaction() as session:
            await session.execute(text("UPDATE figures SET n = 7"))

        assert await figure(table) == 7

    async def test_leaves_nothing_of_a_failure(self, table: Database) -> None:
        with pytest.raises(ValueError, match="no"):
            async with table.transaction() as session:
                await session.execute(text("UPDATE figures SET n = 7"))
                raise ValueError("no")

        assert await figure(table) == 0

    async def test_loses_no_update_of_many_at_once(self, table: Database) -> None:
        async def add_one() -> None:
            async with table.transaction() as session:
                seen = await session.scalar(text(lock_figure(table)))
                await session.execute(text("UPDATE figures SET n = :n"), {"n": int(seen or 0) + 1})

        await asyncio.gather(*(add_one() for _ in range(40)))

        assert await figure(table) == 40

    async def test_reading_waits_for_no_writer(self, table: Database) -> None:
        async with table.transaction() as session:
            await session.execute(text("UPDATE figures SET n = 7"))
            seen = await figure(table)

        assert seen == 0

    async def test_follows_a_commit_only(self, table: Database) -> None:
        rung: list[str] = []
        async with table.transaction() as session:
            after_commit(session, lambda: rung.append("committed"))
            assert rung == []
        with pytest.raises(ValueError, match="no"):
            async with table.transaction() as session:
                after_commit(session, lambda: rung.append("rolled back"))
                raise ValueError("no")

        assert rung == ["committed"]


async def let(database: Database, setting: str) -> None:
    """Change a setting of the one pooled connection."""
    async with database.reading() as session:
        await session.execute(text(setting))
        await session.commit()


def lock_figure(database: Database) -> str:
    return "SELECT n FROM figures" + (" FOR UPDATE" if database.dialect == "postgresql" else "")


class TestOutage:
    async def test_a_missing_server_is_named(self, tmp_path: Path) -> None:
        database = Database.open(f"postgresql://nobody@/none?host={tmp_path}")

        with pytest.raises(DatabaseUnavailable):
            await database.check()

    async def test_read_only_is_an_outage_and_heals(self, table: Database) -> None:
        switch = {
            "sqlite": "PRAGMA query_only = {}",
            "postgresql": "SET default_transaction_read_only = {}",
        }[table.dialect]
        await let(table, switch.format("on"))

        with pytest.raises(DatabaseUnavailable):
            async with table.transaction() as session:
                await session.execute(text("UPDATE figures SET n = 7"))
        await let(table, switch.format("off"))
        async with table.transaction() as session:
            await session.execute(text("UPDATE figures SET n = 8"))

        assert await figure(table) == 8

    async def test_a_wrong_statement_is_no_outage(self, database: Database) -> None:
        with pytest.raises(Exception, match="missing_table") as failed:
            async with database.reading() as session:
                await session.execute(text("SELECT * FROM missing_table"))

        assert not isinstance(failed.value, DatabaseUnavailable)


class TestDatabaseUrl:
    @pytest.mark.parametrize(
        "spelling",
        [
            "postgres://u:p@h:5432/d",
            "postgresql://u:p@h:5432/d",
            "postgresql+psycopg://u:p@h:5432/d",
            "postgresql+asyncpg://u:p@h:5432/d",
        ],
    )
    def test_every_spelling_opens_one_driver(self, spelling: str) -> None:
        url = database_url(spelling)

        assert url.render_as_string(hide_password=False) == "postgresql+asyncpg://u:p@h:5432/d"

    def test_libpq_options_are_translated(self) -> None:
        url = database_url("postgres://h/d?sslmode=require&channel_binding=prefer")

        assert dict(url.query) == {"ssl": "require"}

    def test_sqlite_opens_a_file(self) -> None:
        assert database_url("sqlite:///./app.db").drivername == "sqlite+aiosqlite"

    @pytest.mark.parametrize("text", ["sqlite://", "mysql://h/d", "nonsense"])
    def test_refuses_what_it_does_not_speak(self, text: str) -> None:
        with pytest.raises(UnsupportedDatabase):
            database_url(text)
