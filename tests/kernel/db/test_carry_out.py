"""A transaction on the driver keeps the promises of one in a session."""

import asyncio

import pytest
from sqlalchemy import select, text

from medici.kernel.db.database import Database
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.ids import new_id
from tests.kernel.db.samples import Sample
from tests.kernel.db.words import ON_POSTGRESQL, ON_SQLITE, read, says, words


class Abort(BaseException):
    """Something that is not meant to be caught."""


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


async def idle_in_transaction(database: Database) -> int:
    async with database.reading() as session:
        found = await session.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%' AND pid != pg_backend_pid()"
            )
        )
    return int(found or 0)
