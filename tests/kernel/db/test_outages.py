"""What is carried out while the database is away is named, and what comes later is served."""

import asyncio
from pathlib import Path
from shutil import copyfile

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from medici.kernel.db.database import Database
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.db.errors import DatabaseUnavailable
from tests.kernel.db.words import ON_POSTGRESQL, ON_SQLITE, read, says, words
from tests.support.databases import opened


class TestOutage:
    @ON_POSTGRESQL
    async def test_a_connection_that_is_lost_in_the_middle_is_replaced(
        self, samples: Database, database_url: str
    ) -> None:
        async def lose(driver: Driver) -> None:
            await says("lost")(driver)
            ((process,),) = await driver.fetch("SELECT pg_backend_pid()", ())
            await terminate(database_url, process)
            await says("lost, too")(driver)

        with pytest.raises(DatabaseUnavailable):
            await samples.carry_out(lose)
        await samples.carry_out(says("later"))

        assert await words(samples) == ["later"]

    @ON_POSTGRESQL
    async def test_a_connection_that_has_lost_its_place_is_replaced(
        self, samples: Database
    ) -> None:
        """As when the server dies between two words of the protocol."""

        async def confused(driver: Driver) -> None:
            await says("lost")(driver)
            raise asyncpg.InternalClientError("another operation is in progress")

        with pytest.raises(DatabaseUnavailable):
            await samples.carry_out(confused)
        await samples.carry_out(says("later"))

        assert await words(samples) == ["later"]

    @ON_POSTGRESQL
    async def test_a_connection_that_is_lost_before_the_commit_is_replaced(
        self, samples: Database, database_url: str
    ) -> None:
        rung: list[str] = []

        async def lose(driver: Driver) -> None:
            driver.after_commit(lambda: rung.append("never"))
            await says("lost")(driver)
            ((process,),) = await driver.fetch("SELECT pg_backend_pid()", ())
            await terminate(database_url, process)

        with pytest.raises(DatabaseUnavailable):
            await samples.carry_out(lose)
        await samples.carry_out(says("later"))

        assert await words(samples) == ["later"]
        assert rung == []

    @ON_POSTGRESQL
    async def test_connections_that_were_lost_at_rest_are_replaced(
        self, samples: Database, database_url: str
    ) -> None:
        async def own(driver: Driver) -> int:
            ((process,),) = await driver.fetch("SELECT pg_backend_pid() FROM pg_sleep(0.05)", ())
            return int(process)

        for process in set(await asyncio.gather(*(samples.carry_out(own) for _ in range(4)))):
            await terminate(database_url, process)

        tries = [await written(samples, f"try {n}") for n in range(5)]

        assert tries[-1]
        assert set(await words(samples)) == {f"try {n}" for n, done in enumerate(tries) if done}

    async def test_a_database_that_takes_no_more_is_named_and_heals(
        self, samples: Database
    ) -> None:
        full, roomy = {
            "sqlite": ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000"),
            "postgresql": (
                "SET default_transaction_read_only = on",
                "SET default_transaction_read_only = off",
            ),
        }[samples.dialect]

        await samples.carry_out(lambda driver: driver.fetch(full, ()))
        with pytest.raises(DatabaseUnavailable):
            await samples.carry_out(says("x" * 1_000_000))
        await samples.carry_out(lambda driver: driver.fetch(roomy, ()))
        await samples.carry_out(says("later"))

        assert await words(samples) == ["later"]

    async def test_a_file_that_cannot_be_opened_is_named(self, tmp_path: Path) -> None:
        database = Database.open(f"sqlite:///{tmp_path}")

        with pytest.raises(DatabaseUnavailable):
            await database.carry_out(says("lost"))
        with pytest.raises(DatabaseUnavailable):
            await database.look(read)
        await database.close()

    @ON_SQLITE
    async def test_a_file_that_could_not_be_used_is_opened_anew(
        self, samples: Database, tmp_path: Path
    ) -> None:
        await samples.carry_out(says("a"))
        await samples.close()
        place = tmp_path / "later.db"
        place.write_bytes(b"no database " * 100)
        database = Database.open(f"sqlite:///{place}")
        with pytest.raises(DBAPIError, match="not a database"):
            await database.carry_out(says("lost"))

        copyfile(str(samples.engine.url.database), place)
        await database.carry_out(says("b"))

        assert await words(database) == ["a", "b"]
        ((foreign_keys,),) = await database.carry_out(
            lambda driver: driver.fetch("PRAGMA foreign_keys", ())
        )
        assert foreign_keys == 1
        await database.close()


class TestClose:
    async def test_may_be_done_twice(self, samples: Database) -> None:
        await samples.carry_out(says("a"))
        await words(samples)

        await samples.close()
        await samples.close()

    async def test_keeps_what_was_written(self, samples: Database, database_url: str) -> None:
        await samples.carry_out(says("a"))
        await samples.close()

        async with opened(database_url) as again:
            assert await words(again) == ["a"]


async def written(database: Database, word: str) -> bool:
    try:
        await database.carry_out(says(word))
    except DatabaseUnavailable:
        return False
    return True


async def terminate(url: str, process: int) -> None:
    """End a server process of PostgreSQL, as an operator may, and wait until it is gone."""
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT pg_terminate_backend($1, 5000)", process)
    await connection.close()
