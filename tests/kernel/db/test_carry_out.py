"""A transaction on the driver keeps the promises of one in a session."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from shutil import copyfile
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from medici.kernel.db.database import Database
from medici.kernel.db.driver.bulk import BulkInsert
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.query import Query
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.db.errors import DatabaseUnavailable
from medici.kernel.ids import new_id
from tests.kernel.db.samples import TABLE, Sample
from tests.support.databases import opened

INSERT = BulkInsert(TABLE, ("id", "word"))
WORDS = Query(select(Sample.word).order_by(Sample.word))
ON_POSTGRESQL = pytest.mark.parametrize("template", ["postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


class Abort(BaseException):
    """Something that is not meant to be caught."""


Work = Callable[[Driver], Coroutine[Any, Any, None]]


def says(*words: str) -> Work:
    """Give work that writes words."""
    rows: list[tuple[UUID, str]] = [(new_id(), word) for word in words]
    return lambda driver: INSERT.write(driver, rows)


async def read(driver: Driver) -> list[str]:
    return [row.word for row in await WORDS.rows(driver)]


async def words(database: Database) -> list[str]:
    return await database.look(read)


class TestCarryOut:
    async def test_commits_and_gives_the_result(self, samples: Database) -> None:
        async def write_and_count(driver: Driver) -> int:
            await says("a", "b")(driver)
            return len(await read(driver))

        assert await samples.carry_out(write_and_count) == 2
        assert await words(samples) == ["a", "b"]

    async def test_is_one_transaction(self, samples: Database) -> None:
        seen: list[list[str]] = []

        async def write_in_two_steps(driver: Driver) -> None:
            await says("a")(driver)
            await says("b")(driver)
            seen.append(await read(driver))

        await samples.carry_out(write_in_two_steps)

        assert seen == [["a", "b"]]
        assert await words(samples) == ["a", "b"]

    @pytest.mark.parametrize("error", [ValueError("no"), Abort("now")])
    async def test_leaves_nothing_of_a_failure(
        self, samples: Database, error: BaseException
    ) -> None:
        async def fail(driver: Driver) -> None:
            await says("lost")(driver)
            raise error

        with pytest.raises(type(error), match=str(error)):
            await samples.carry_out(fail)
        await samples.carry_out(says("later"))

        assert await words(samples) == ["later"]

    async def test_leaves_nothing_of_a_refused_statement(self, samples: Database) -> None:
        async def refused(driver: Driver) -> None:
            await says("lost")(driver)
            await says("twice")(driver)
            await says("twice")(driver)

        with pytest.raises(Exception, match=r"(?i)unique"):
            await samples.carry_out(refused)
        await samples.carry_out(says("later"))

        assert await words(samples) == ["later"]

    async def test_follows_a_commit_only(self, samples: Database) -> None:
        rung: list[str] = []

        async def ring(driver: Driver) -> None:
            driver.after_commit(lambda: rung.append("first"))
            driver.after_commit(lambda: rung.append("second"))
            await says("a")(driver)
            assert rung == []

        async def ring_and_fail(driver: Driver) -> None:
            driver.after_commit(lambda: rung.append("never"))
            raise ValueError("no")

        await samples.carry_out(ring)
        with pytest.raises(ValueError, match="no"):
            await samples.carry_out(ring_and_fail)

        assert rung == ["first", "second"]

    async def test_loses_no_update_beside_sessions(self, samples: Database) -> None:
        await samples.carry_out(says("a"))
        lock = " FOR UPDATE" if samples.dialect == "postgresql" else ""
        mark = "$1" if samples.dialect == "postgresql" else "?"

        async def add_on_driver(driver: Driver) -> None:
            ((number,),) = await driver.fetch(f"SELECT number FROM samples{lock}", ())
            await driver.fetch(f"UPDATE samples SET number = {mark}", [(number or 0) + 1])

        async def add_in_session() -> None:
            async with samples.transaction() as session:
                one = (await session.execute(select(Sample).with_for_update())).scalar_one()
                one.number = (one.number or 0) + 1

        both = [samples.carry_out(add_on_driver) for _ in range(20)]
        await asyncio.gather(*both, *(add_in_session() for _ in range(20)))

        async with samples.reading() as session:
            assert await session.scalar(select(Sample.number)) == 40

    @ON_SQLITE
    async def test_waits_on_sqlite_for_the_one_that_writes(self, samples: Database) -> None:
        async with samples.transaction() as session:
            session.add(Sample(id=new_id(), word="a"))
            await session.flush()
            writing = asyncio.create_task(samples.carry_out(says("b")))
            await asyncio.sleep(0.05)
            assert not writing.done()
            assert await words(samples) == []

        await writing
        assert await words(samples) == ["a", "b"]

    @ON_SQLITE
    async def test_may_not_wait_on_sqlite_for_anything_else(self, samples: Database) -> None:
        async def dawdle(driver: Driver) -> None:
            await says("lost")(driver)
            await asyncio.sleep(0)

        with pytest.raises(RuntimeError, match="waited for something"):
            await samples.carry_out(dawdle)
        await samples.carry_out(says("later"))

        assert await words(samples) == ["later"]


class TestACallerWhoLeaves:
    @ON_POSTGRESQL
    @pytest.mark.parametrize("times", [1, 2, 5, 20])
    async def test_leaves_no_open_transaction(self, samples: Database, times: int) -> None:
        begun = asyncio.Event()

        async def linger(driver: Driver) -> None:
            await says("lost")(driver)
            begun.set()
            await driver.fetch("SELECT pg_sleep(60)", ())

        lingering = asyncio.create_task(samples.carry_out(linger))
        await begun.wait()
        for _ in range(times):
            await asyncio.sleep(0)
            lingering.cancel()

        with pytest.raises(asyncio.CancelledError):
            await lingering
        await samples.carry_out(says("lost"))
        assert await words(samples) == ["lost"]
        assert await idle_in_transaction(samples) == 0

    async def test_keeps_nobody_waiting(self, samples: Database) -> None:
        callers = [asyncio.create_task(samples.carry_out(says(f"w{n}"))) for n in range(20)]
        await asyncio.sleep(0)
        for caller in callers[::2]:
            caller.cancel()

        ended = await asyncio.gather(*callers, return_exceptions=True)
        await samples.carry_out(says("last"))
        async with samples.transaction() as session:
            session.add(Sample(id=new_id(), word="very last"))

        assert ended[1::2] == [None] * 10
        told = set(await words(samples))
        assert told >= {f"w{n}" for n in range(1, 20, 2)} | {"last", "very last"}


class TestLook:
    async def test_sees_what_was_committed_alone(self, samples: Database) -> None:
        async with samples.transaction() as session:
            session.add(Sample(id=new_id(), word="a"))
            await session.flush()
            assert await words(samples) == []

        assert await words(samples) == ["a"]

    async def test_sees_at_once_what_was_carried_out(self, samples: Database) -> None:
        for n in range(5):
            await samples.carry_out(says(f"w{n}"))
            assert len(await words(samples)) == n + 1

    async def test_passes_on_what_the_reader_raises(self, samples: Database) -> None:
        async def fail(driver: Driver) -> None:
            await read(driver)
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await samples.look(fail)

        assert await words(samples) == []


class TestDriverOf:
    async def test_sees_what_the_session_has_to_write(self, samples: Database) -> None:
        async with samples.transaction() as session:
            session.add(Sample(id=new_id(), word="a"))
            driver = await driver_of(session)
            await says("b")(driver)

            assert await read(driver) == ["a", "b"]
            assert list(await session.scalars(select(Sample.word).order_by(Sample.word))) == [
                "a",
                "b",
            ]

        assert await words(samples) == ["a", "b"]

    async def test_is_rolled_back_with_its_session(self, samples: Database) -> None:
        rung: list[str] = []
        with pytest.raises(ValueError, match="no"):
            async with samples.transaction() as session:
                driver = await driver_of(session)
                driver.after_commit(lambda: rung.append("never"))
                await says("lost")(driver)
                raise ValueError("no")

        assert await words(samples) == []
        assert rung == []

    async def test_is_rolled_back_with_a_part_of_its_session(self, samples: Database) -> None:
        async with samples.transaction() as session:
            await says("kept")(await driver_of(session))
            with pytest.raises(ValueError, match="no"):
                async with session.begin_nested():
                    await says("lost")(await driver_of(session))
                    raise ValueError("no")

        assert await words(samples) == ["kept"]

    async def test_follows_the_commit_of_its_session(self, samples: Database) -> None:
        rung: list[str] = []
        async with samples.transaction() as session:
            (await driver_of(session)).after_commit(lambda: rung.append("committed"))
            assert rung == []

        assert rung == ["committed"]


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

    async def test_a_file_that_is_away_is_named(self) -> None:
        database = Database.open("sqlite:////proc/nowhere.db")

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


async def idle_in_transaction(database: Database) -> int:
    async with database.reading() as session:
        found = await session.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%' AND pid != pg_backend_pid()"
            )
        )
    return int(found or 0)
