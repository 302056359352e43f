"""Rows that are written by lists are those that were given, whole or not at all."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import literal, select
from sqlalchemy.exc import DBAPIError

from medici.kernel.db.database import Database
from medici.kernel.db.driver.bulk import BulkInsert, BulkStatement, BulkUpdate
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.ids import new_id
from tests.kernel.db.samples import MOMENT, TABLE, Colour, Row, Sample, sample, stored
from tests.kernel.db.words import ON_POSTGRESQL

INSERT = BulkInsert(TABLE)
RECOLOUR = BulkUpdate(TABLE, ("colour", "extra"))
NUMBERED = BulkInsert(TABLE, ("id", "word"), computed={"number": literal(20) + 22})
RAISE = BulkStatement(
    """
    UPDATE samples SET number = samples.number + given.number FROM {rows}
    WHERE samples.id = given.id
    RETURNING samples.id, samples.number
    """,
    {"id": TABLE.c.id, "number": TABLE.c.number},
)
COUNT_WORDS = BulkStatement("SELECT count(word) FROM {rows}", {"word": TABLE.c.word})
EVENING_IN_ROME = datetime(2026, 7, 1, 20, 0, tzinfo=timezone(timedelta(hours=2)))

VALUES: dict[str, Row] = {
    "nothing": sample(),
    "quotes": sample(word='O\'Neill "said" `it`; DROP TABLE samples -- {rows} $1 ? :word %s \\'),
    "every script": sample(word="łóżko 床 🛏\ufe0f \u202e cafe\u0301"),
    "lines": sample(word="a\r\n\tb"),
    "no text": sample(word=""),
    "long text": sample(word="x" * 100_000),
    "the largest number": sample(number=2**63 - 1),
    "the smallest number": sample(number=-(2**63)),
    "zero": sample(number=0),
    "truth": sample(flag=True),
    "untruth": sample(flag=False),
    "an enum": sample(colour=Colour.BLUE),
    "a moment": sample(moment=MOMENT),
    "a moment elsewhere": sample(moment=EVENING_IN_ROME),
    "the beginning of the calendar": sample(moment=datetime(1, 1, 1, tzinfo=UTC)),
    "an id": sample(other=UUID(int=0)),
    "an object": sample(extra={"a": [1, 2.5, None, True], "it's": {"é": '"'}}),
    "an empty object": sample(extra={}),
    "a list": sample(names=["a,b", "{c}", "", 'd"e']),
    "an empty list": sample(names=[]),
}


async def write(database: Database, rows: list[Row]) -> None:
    await database.carry_out(lambda driver: INSERT.write(driver, rows))


async def kept(database: Database) -> dict[str, Row]:
    """Return the rows of ``VALUES`` as they are read, by their kinds."""
    read = {id_of(row): row for row in await stored(database)}
    return {kind: read[id_of(row)] for kind, row in VALUES.items()}


def id_of(row: Row) -> UUID:
    return cast("UUID", row[0])


def many(count: int) -> list[Row]:
    return [
        sample(
            word=f"w{n}",
            number=n,
            flag=n % 2 == 0,
            colour=Colour.RED if n % 3 else None,
            moment=MOMENT + timedelta(seconds=n),
            extra={"n": n} if n % 5 else None,
        )
        for n in range(count)
    ]


class TestBulkInsert:
    async def test_keeps_every_value(self, samples: Database) -> None:
        for row in VALUES.values():
            await write(samples, [row])

        assert await kept(samples) == VALUES

    async def test_keeps_all_values_side_by_side(self, samples: Database) -> None:
        await write(samples, list(VALUES.values()))

        assert await kept(samples) == VALUES

    async def test_writes_what_the_orm_reads(self, samples: Database) -> None:
        await write(samples, list(VALUES.values()))

        async with samples.reading() as session:
            found = await session.scalars(select(Sample))
            read = {one.id: tuple(getattr(one, name) for name in INSERT.columns) for one in found}
        assert {kind: read[id_of(row)] for kind, row in VALUES.items()} == VALUES

    async def test_says_the_moment_in_utc(self, samples: Database) -> None:
        await write(samples, [VALUES["a moment elsewhere"]])

        ((*_, moment, _, _, _, _),) = await stored(samples)
        assert str(moment) == "2026-07-01 18:00:00+00:00"

    @pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 5_000])
    async def test_writes_as_many_rows_as_there_are(self, samples: Database, count: int) -> None:
        rows = many(count)

        await write(samples, rows)

        assert await stored(samples) == rows

    async def test_lets_the_database_fill_in_what_is_computed(self, samples: Database) -> None:
        await samples.carry_out(
            lambda driver: NUMBERED.write(driver, [(new_id(), "a"), (new_id(), "b")])
        )

        assert [row[1:3] for row in await stored(samples)] == [("a", 42), ("b", 42)]

    async def test_refuses_nul_or_keeps_it_but_never_cuts(self, samples: Database) -> None:
        row = sample(word="before\0after")
        if samples.dialect == "postgresql":
            with pytest.raises(DBAPIError) as refused:
                await write(samples, [row])
            assert getattr(refused.value.orig, "sqlstate", None) == "22021"
            assert await stored(samples) == []
        else:
            await write(samples, [row])
            assert await stored(samples) == [row]

    async def test_refuses_a_word_that_the_enum_does_not_have(self, samples: Database) -> None:
        loose = BulkInsert(TABLE, ("id", "colour"))

        with pytest.raises(LookupError, match="green"):
            await samples.carry_out(lambda driver: loose.write(driver, [(new_id(), "green")]))

    async def test_refuses_a_moment_without_a_zone(self, samples: Database) -> None:
        with pytest.raises(ValueError, match="time zone"):
            await write(samples, [sample(moment=MOMENT.replace(tzinfo=None))])

    async def test_refuses_rows_of_different_lengths(self, samples: Database) -> None:
        with pytest.raises(ValueError, match="shorter"):
            await write(samples, [sample(), sample()[:-1]])

    @ON_POSTGRESQL
    async def test_refuses_a_text_too_long_for_its_column_rather_than_cut_it(
        self, samples: Database
    ) -> None:
        with pytest.raises(DBAPIError) as refused:
            await write(samples, [sample(code="x" * 8), sample(code="x" * 9)])

        assert getattr(refused.value.orig, "sqlstate", None) == "22001"
        assert await stored(samples) == []

    async def test_writes_all_rows_or_none(self, samples: Database) -> None:
        await write(samples, [sample(word="w4999")])
        (first,) = await stored(samples)

        with pytest.raises(DBAPIError):
            await write(samples, many(5_000))

        assert await stored(samples) == [first]


class TestBulkUpdate:
    async def test_changes_the_named_columns_of_each_row(self, samples: Database) -> None:
        one, two, three = many(3)
        await write(samples, [one, two, three])

        await samples.carry_out(
            lambda driver: RECOLOUR.write(
                driver, [(one[0], Colour.BLUE, {"new": True}), (three[0], None, None)]
            )
        )

        changed = [(row[4], row[7]) for row in await stored(samples)]
        assert changed == [(Colour.BLUE, {"new": True}), (two[4], two[7]), (None, None)]
        assert [row[:4] for row in await stored(samples)] == [row[:4] for row in (one, two, three)]

    async def test_ignores_rows_that_are_not_there(self, samples: Database) -> None:
        await samples.carry_out(
            lambda driver: RECOLOUR.write(driver, [(new_id(), Colour.RED, None)])
        )

        assert await stored(samples) == []

    async def test_changes_many_rows(self, samples: Database) -> None:
        rows = many(5_000)
        await write(samples, rows)

        await samples.carry_out(
            lambda driver: RECOLOUR.write(driver, [(row[0], Colour.BLUE, None) for row in rows])
        )

        assert {(row[4], row[7]) for row in await stored(samples)} == {(Colour.BLUE, None)}


class TestBulkStatement:
    @pytest.mark.parametrize("count", [1, 3, 5_000])
    async def test_returns_what_all_of_its_parts_return(
        self, samples: Database, count: int
    ) -> None:
        rows = many(count)
        await write(samples, rows)

        returned = await samples.carry_out(
            lambda driver: RAISE.run(driver, [(row[0], 1_000) for row in rows])
        )

        assert sorted(number for _, number in returned) == [n + 1_000 for n in range(count)]

    async def test_does_nothing_for_no_rows(self, samples: Database) -> None:
        assert await samples.carry_out(lambda driver: COUNT_WORDS.run(driver, [])) == []

    async def test_counts_nothing_as_nothing(self, samples: Database) -> None:
        async def counted(driver: Driver) -> list[Any]:
            return await COUNT_WORDS.run(driver, [("a",), (None,)])

        assert [tuple(row) for row in await samples.carry_out(counted)] == [(1,)]
