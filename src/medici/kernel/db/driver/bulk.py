"""Many rows by one statement: arrays in PostgreSQL, lists of values in SQLite."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

from sqlalchemy import Column, ColumnElement, Dialect, Table
from sqlalchemy.types import TypeEngine

from medici.kernel.db.driver.query import to_driver
from medici.kernel.db.driver.transaction import Driver

Rows: TypeAlias = Sequence[Sequence[object]]
# A column rather than its type, because that of a foreign key is known only once the table that it
# points at has been imported.
Columns: TypeAlias = Mapping[str, Column[Any]]
Computed: TypeAlias = Mapping[str, ColumnElement[Any]]
MOST_VALUES = 16_384  # of one statement; SQLite takes twice as many


class BulkStatement:
    """A statement over given rows, which stand in its text as ``{rows}``.

    In it they are a table ``given`` with the named columns. ``computed`` are expressions that the
    database evaluates; each stands in the text as its name in braces.
    """

    def __init__(self, text: str, columns: Columns, *, computed: Computed | None = None) -> None:
        self._text = text
        self._columns = columns
        self._computed = computed or {}
        self._by_dialect: dict[str, _Writer] = {}

    async def run(self, driver: Driver, rows: Rows) -> list[Sequence[Any]]:
        """Run it over the rows, in the order of the columns; return what it returns, unread."""
        if not rows:
            return []
        dialect = driver.engine.dialect
        writer = self._by_dialect.get(dialect.name)
        if writer is None:
            writer = self._by_dialect[dialect.name] = self._writer(dialect)
        found: list[Sequence[Any]] = []
        for sql, arguments in writer.statements(rows):
            found += await driver.fetch(sql, arguments)
        return found

    def _writer(self, dialect: Dialect) -> "_Writer":
        computed = {
            name: str(value.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
            for name, value in self._computed.items()
        }
        text = self._text.format(rows="{rows}", **computed)
        return WRITERS[dialect.name](text, self._columns, dialect)


class BulkInsert:
    """Inserts rows of a table; ``computed`` are columns that the database fills itself."""

    def __init__(
        self,
        table: Table,
        columns: Sequence[str] | None = None,
        *,
        computed: Computed | None = None,
    ) -> None:
        self.columns = tuple(columns or (column.name for column in table.columns))
        computed = computed or {}
        names = ", ".join((*self.columns, *computed))
        values = ", ".join((*(f"given.{n}" for n in self.columns), *(f"{{{n}}}" for n in computed)))
        self._statement = BulkStatement(
            f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {{rows}}",  # noqa: S608 - our names
            {name: table.c[name] for name in self.columns},
            computed=computed,
        )

    async def write(self, driver: Driver, rows: Rows) -> None:
        """Insert rows, each in the order of ``columns``."""
        await self._statement.run(driver, rows)


class BulkUpdate:
    """Updates columns of a table, each row by its id."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self.columns = ("id", *columns)
        changes = ", ".join(f"{name} = given.{name}" for name in columns)
        self._statement = BulkStatement(
            f"UPDATE {table.name} SET {changes} FROM {{rows}} WHERE {table.name}.id = given.id",  # noqa: S608 - our names
            {name: table.c[name] for name in self.columns},
        )

    async def write(self, driver: Driver, rows: Rows) -> None:
        """Update rows; each is an id and the values in the order of the columns."""
        await self._statement.run(driver, rows)


class _Writer(ABC):
    """A statement in the SQL of one dialect, with what turns its values into the driver's."""

    def __init__(self, text: str, columns: Columns, dialect: Dialect) -> None:
        self.text = text
        self.columns = columns
        self._processes = [to_driver(column.type, dialect) for column in columns.values()]

    def statements(self, rows: Rows) -> Iterator[tuple[str, list[object]]]:
        """Give the statements that cover all rows, each with its arguments."""
        lists = [
            [process(value) for value in values] if process else list(values)
            for process, values in zip(self._processes, zip(*rows, strict=True), strict=True)
        ]
        return self.cut(lists)

    @abstractmethod
    def cut(self, lists: list[list[object]]) -> Iterator[tuple[str, list[object]]]:
        """Share out lists, one for each column, among statements."""


class _ByArrays(_Writer):
    """For PostgreSQL: one statement for any number of rows."""

    def __init__(self, text: str, columns: Columns, dialect: Dialect) -> None:
        super().__init__(text, columns, dialect)
        kinds = [_array_type(column.type, dialect) for column in columns.values()]
        arrays = ", ".join(f"${place}::{kind}" for place, kind in enumerate(kinds, 1))
        self._sql = text.format(rows=f"unnest({arrays}) AS given ({', '.join(columns)})")

    def cut(self, lists: list[list[object]]) -> Iterator[tuple[str, list[object]]]:
        yield self._sql, list(lists)


class _ByValues(_Writer):
    """For SQLite: a few different numbers of rows, hence few different statements to prepare."""

    def __init__(self, text: str, columns: Columns, dialect: Dialect) -> None:
        super().__init__(text, columns, dialect)
        self._by_length: dict[int, str] = {}

    def cut(self, lists: list[list[object]]) -> Iterator[tuple[str, list[object]]]:
        rows = list(zip(*lists, strict=True))
        at = 0
        for length in _lengths(len(rows), MOST_VALUES // len(self.columns)):
            if length not in self._by_length:
                self._by_length[length] = self._sql(length)
            yield self._by_length[length], list(chain(*rows[at : at + length]))
            at += length

    def _sql(self, length: int) -> str:
        names = ", ".join(f"column{n} AS {name}" for n, name in enumerate(self.columns, 1))
        row = f"({', '.join('?' * len(self.columns))})"
        values = ", ".join([row] * length)
        return self.text.format(rows=f"(SELECT {names} FROM (VALUES {values})) AS given")  # noqa: S608 - our names


WRITERS: Mapping[str, type[_Writer]] = {"postgresql": _ByArrays, "sqlite": _ByValues}


def _array_type(kind: TypeEngine[Any], dialect: Dialect) -> str:
    # Without a length, because a cast would cut what an insert refuses.
    return kind.dialect_impl(dialect).compile(dialect).partition("(")[0] + "[]"


def _lengths(count: int, most: int) -> Iterator[int]:
    """Split a number into powers of two, the largest first."""
    largest = 1 << (most.bit_length() - 1)
    while count:
        length = min(1 << (count.bit_length() - 1), largest)
        yield length
        count -= length
