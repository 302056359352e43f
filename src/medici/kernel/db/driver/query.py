"""Selects that are compiled once and run on a driver."""

import json
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, ColumnElement, Dialect, SelectBase, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, TypeDecorator, TypeEngine

from medici.kernel.db.driver.transaction import Driver

Process: TypeAlias = Callable[[Any], Any]


def any_of(column: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that a column holds one of the values of a list parameter.

    However long the list, the statement is the same, and both databases look into an index.
    """
    return _AnyOf(column, bindparam(name, type_=_Many(column.type)))


class Query:
    """A select, compiled when it is first run on a kind of database.

    Its rows are named tuples, or objects of a class whose fields are named as the columns are.
    """

    def __init__(self, statement: SelectBase, into: Callable[..., Any] | None = None) -> None:
        self._statement = statement
        self._into = into
        self._compiled: dict[str, _Compiled] = {}

    async def rows(self, driver: Driver, **values: object) -> list[Any]:
        """Run it with the values of its parameters."""
        dialect = driver.engine.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(
                self._statement, dialect, self._into
            )
        return compiled.read(await driver.fetch(compiled.sql, compiled.arguments(values)))


class _Compiled:
    """A select in the SQL of one dialect, with what turns values into the driver's and back."""

    def __init__(
        self, statement: SelectBase, dialect: Dialect, into: Callable[..., Any] | None
    ) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self._fixed: Mapping[str, object] = compiled.params
        self._parameters = [
            (name, to_driver(compiled.binds[name].type, dialect))
            for name in compiled.positiontup or ()
        ]
        columns = list(statement.selected_columns)
        self._readers = [
            (place, read)
            for place, column in enumerate(columns)
            if (read := from_driver(column.type, dialect))
        ]
        names = [str(column.key) for column in columns]
        self._row = _by_name(into, names) if into else namedtuple("Row", names)

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        given = {**self._fixed, **values}
        return [
            process(given[name]) if process else given[name] for name, process in self._parameters
        ]

    def read(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        if not self._readers:
            return [self._row(*row) for row in rows]
        found = []
        for row in rows:
            cells = list(row)
            for place, read in self._readers:
                cells[place] = read(cells[place])
            found.append(self._row(*cells))
        return found


def _by_name(into: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    return lambda *cells: into(**dict(zip(names, cells, strict=True)))


def to_driver(kind: TypeEngine[Any], dialect: Dialect) -> Process | None:
    """Return what makes a value of a column fit for the driver; None where nothing is needed."""
    return kind.dialect_impl(dialect).bind_processor(dialect)


def from_driver(kind: TypeEngine[Any], dialect: Dialect) -> Process | None:
    """Return what makes a driver's value that of the column; None where it is already."""
    return kind.dialect_impl(dialect).result_processor(dialect, None)


class _Many(TypeDecorator[Any]):
    """A list: an array in PostgreSQL, JSON in SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return ARRAY(self.item) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return list(value)
        process = to_driver(self.item, dialect)
        return json.dumps([process(each) if process else each for each in value])


class _AnyOf(FunctionElement[bool]):
    name = "any_of"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Grouping[bool]:  # type: ignore[override]
        # Beside another condition a function would be compared with 1, and SQLite read every row.
        del against
        return Grouping(self)


@compiles(_AnyOf, "postgresql")
def _in_array(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_AnyOf, "sqlite")
def _in_json(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both compiled
