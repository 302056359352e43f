"""Selects on the driver find what SQLAlchemy would find, and give it as it was stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute

from medici.kernel.db.database import Database
from medici.kernel.db.driver.bulk import BulkInsert
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.ids import new_id
from tests.kernel.db.samples import MOMENT, TABLE, Colour, Row, Sample, sample

INSERT = BulkInsert(TABLE)
ROWS = [
    sample(
        word=f"word {n}",
        number=n * 2**40,
        flag=n % 2 == 0,
        colour=[Colour.RED, Colour.BLUE, None][n % 3],
        moment=MOMENT.replace(microsecond=n),
        other=new_id(),
    )
    for n in range(6)
]
ODD_WORDS = ['say "hi"', "it's", "a,b", "{x}", "NULL", "null", "\\", "łóżko 床 🛏️", "", " "]


def found_by(column: InstrumentedAttribute[Any]) -> Query:
    return Query(select(Sample.number).where(any_of(column, "wanted")).order_by(Sample.number))


@pytest.fixture
async def filled(samples: Database) -> Database:
    await samples.carry_out(lambda driver: INSERT.write(driver, ROWS))
    return samples


async def places(
    database: Database, column: InstrumentedAttribute[Any], wanted: Iterable[object]
) -> list[int]:
    """Tell which of the rows hold one of the wanted values."""
    query = found_by(column)
    rows = await database.look(lambda driver: query.rows(driver, wanted=wanted))
    return [row.number // 2**40 for row in rows]


def values(column: InstrumentedAttribute[Any], *rows: int) -> list[object]:
    return [ROWS[row][INSERT.columns.index(column.key)] for row in rows]


class TestAnyOf:
    @pytest.mark.parametrize("name", ["id", "word", "number", "moment", "other"])
    async def test_finds_the_rows_that_hold_one_of_the_values(
        self, filled: Database, name: str
    ) -> None:
        column = getattr(Sample, name)

        assert await places(filled, column, []) == []
        assert await places(filled, column, values(column, 3)) == [3]
        assert await places(filled, column, values(column, 4, 4, 1, 4)) == [1, 4]
        assert await places(filled, column, values(column, 5, 4, 3, 2, 1, 0)) == [0, 1, 2, 3, 4, 5]

    def test_is_looked_up_in_an_index_beside_other_conditions_too(self) -> None:
        both = select(Sample.number).where(any_of(Sample.id, "ids"), Sample.number > 1)

        assert " = 1" not in str(both.compile(dialect=sqlite.dialect()))

    async def test_finds_enums(self, filled: Database) -> None:
        assert await places(filled, Sample.colour, []) == []
        assert await places(filled, Sample.colour, [Colour.RED]) == [0, 3]
        assert await places(filled, Sample.colour, [Colour.BLUE, Colour.RED]) == [0, 1, 3, 4]

    async def test_finds_truths(self, filled: Database) -> None:
        assert await places(filled, Sample.flag, [True]) == [0, 2, 4]
        assert await places(filled, Sample.flag, [False]) == [1, 3, 5]

    async def test_takes_any_collection(self, filled: Database) -> None:
        ids = {row[0]: None for row in ROWS[:2]}

        assert await places(filled, Sample.id, ids.keys()) == [0, 1]
        assert await places(filled, Sample.id, frozenset(ids)) == [0, 1]

    async def test_never_finds_nothing_by_nothing(self, filled: Database) -> None:
        assert await places(filled, Sample.colour, [None]) == []
        assert await places(filled, Sample.colour, [None, Colour.RED]) == [0, 3]

    async def test_finds_one_of_many(self, filled: Database) -> None:
        strangers = [new_id() for _ in range(20_000)]

        assert await places(filled, Sample.id, [*strangers, ROWS[2][0]]) == [2]

    async def test_takes_words_as_they_are(self, samples: Database) -> None:
        rows: list[Row] = [sample(word=each) for each in ODD_WORDS]
        await samples.carry_out(lambda driver: INSERT.write(driver, rows))
        query = Query(select(Sample.word).where(any_of(Sample.word, "words")))

        async def found(driver: Driver) -> list[list[str]]:
            return [
                [row.word for row in await query.rows(driver, words=[word])] for word in ODD_WORDS
            ]

        assert await samples.look(found) == [[word] for word in ODD_WORDS]

    async def test_takes_the_largest_numbers(self, samples: Database) -> None:
        rows = [sample(number=number) for number in (2**63 - 1, 2**63 - 2, -(2**63))]
        await samples.carry_out(lambda driver: INSERT.write(driver, rows))
        query = found_by(Sample.number)

        found = await samples.look(
            lambda driver: query.rows(driver, wanted=[2**63 - 1, -(2**63), 2**53])
        )

        assert [row.number for row in found] == [-(2**63), 2**63 - 1]


@dataclass(frozen=True)
class Word:
    number: int
    word: str


class TestQuery:
    async def test_gives_named_rows(self, filled: Database) -> None:
        query = Query(select(Sample.word, Sample.colour).where(Sample.number == 0))

        (row,) = await filled.look(query.rows)

        assert (row.word, row.colour, type(row.colour)) == ("word 0", Colour.RED, Colour)

    async def test_gives_objects_where_asked(self, filled: Database) -> None:
        query = Query(select(Sample.word, Sample.number).where(Sample.number == 0), into=Word)

        assert await filled.look(query.rows) == [Word(number=0, word="word 0")]

    async def test_gives_what_a_label_names(self, filled: Database) -> None:
        query = Query(select(func.count().label("whole"), func.max(Sample.moment).label("last")))

        (row,) = await filled.look(query.rows)

        assert (row.whole, row.last) == (6, MOMENT.replace(microsecond=5))

    async def test_takes_one_parameter_in_several_places(self, filled: Database) -> None:
        same = bindparam("colour", type_=TABLE.c.colour.type)
        query = Query(
            select(Sample.word)
            .where(or_(Sample.colour == same, Sample.colour != same), Sample.number > 0)
            .where(Sample.colour == same)
        )

        rows = await filled.look(lambda driver: query.rows(driver, colour=Colour.RED))

        assert [row.word for row in rows] == ["word 3"]

    async def test_is_run_with_other_values_each_time(self, filled: Database) -> None:
        query = Query(select(Sample.word).where(Sample.moment == bindparam("at")))

        async def found(driver: Driver) -> list[list[str]]:
            return [[each.word for each in await query.rows(driver, at=row[5])] for row in ROWS]

        assert await filled.look(found) == [[row[1]] for row in ROWS]

    async def test_finds_nothing_where_there_is_nothing(self, samples: Database) -> None:
        assert await samples.look(Query(select(Sample.id)).rows) == []

    async def test_tells_of_a_wrong_statement_in_the_words_of_sqlalchemy(
        self, database: Database
    ) -> None:
        with pytest.raises(DBAPIError, match="samples"):
            await database.look(Query(select(Sample.id)).rows)
