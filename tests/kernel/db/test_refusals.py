"""What is told of a row that a database refused holds nothing of what was in it."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.exc import DBAPIError

from medici.kernel.db.database import Database
from medici.kernel.db.driver.bulk import BulkInsert
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.ids import new_id
from tests.kernel.db.samples import TABLE, Sample
from tests.kernel.db.words import ON_POSTGRESQL

INSERT = BulkInsert(TABLE, ("id", "word", "extra"))
WORD, NOTE = "ada@example.com", "my bedroom"
Refused = Callable[[Database], Awaitable[None]]


async def by_a_session(database: Database) -> None:
    async with database.transaction() as session:
        session.add(Sample(id=new_id(), word=WORD, extra={"note": NOTE}))


async def carried_out(database: Database) -> None:
    rows = [(new_id(), WORD, {"note": NOTE})]
    await database.carry_out(lambda driver: INSERT.write(driver, rows))


async def by_the_driver_of_a_session(database: Database) -> None:
    async with database.transaction() as session:
        await INSERT.write(await driver_of(session), [(new_id(), WORD, {"note": NOTE})])


def told(error: BaseException | None) -> str:
    """Return what an error says with all that led to it, as a log would."""
    texts = []
    while error is not None:
        texts.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize("write", [by_a_session, carried_out, by_the_driver_of_a_session])
class TestRefusal:
    async def test_of_a_word_that_is_there_already(self, samples: Database, write: Refused) -> None:
        await write(samples)

        with pytest.raises(DBAPIError) as refused:
            await write(samples)

        said = told(refused.value)
        assert "uq_samples_word" in said or "samples.word" in said
        assert WORD not in said
        assert NOTE not in said

    @ON_POSTGRESQL
    async def test_of_a_row_that_breaks_a_rule(self, samples: Database, write: Refused) -> None:
        async with samples.engine.begin() as connection:
            await connection.exec_driver_sql(
                "ALTER TABLE samples ADD CONSTRAINT nobody CHECK (word IS NULL)"
            )

        with pytest.raises(DBAPIError) as refused:
            await write(samples)

        said = told(refused.value)
        assert "nobody" in said
        assert WORD not in said
        assert NOTE not in said


class TestUnsendable:
    @ON_POSTGRESQL
    async def test_is_refused_without_being_quoted(self, samples: Database) -> None:
        rows = [(new_id(), f"{NOTE} \ud800", None)]

        with pytest.raises(DBAPIError) as refused:
            await samples.carry_out(lambda driver: INSERT.write(driver, rows))

        assert NOTE not in told(refused.value)
