"""A past: many renders of the same customers, written by SQL alone.

Every row of a recorded admission is copied with ids of its own, and what was in flight has ended.
So the tables are as large as those of an old deployment, and nothing else is different.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects import postgresql
from tests.support.databases import opened

from bench.rows import Admission, Row, spelled
from medici.kernel.db.base import Base
from medici.kernel.db.database import Dialect

POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]
SEQ_BASE = 1_000_000_000  # far above the numbers that a wallet itself gives
OF_A_CUSTOMER, OF_A_ROW = 10**14, 10**12  # ranges of numbers, whose hexadecimal forms are ids
NUMBERS: Mapping[Dialect, str] = {
    "postgresql": "SELECT generate_series(1, {count}) AS n",
    "sqlite": (
        "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series LIMIT {count})"
        " SELECT n FROM series"
    ),
}
AS_ID: Mapping[Dialect, str] = {
    "postgresql": "lpad(to_hex({base} + n), 32, '0')",
    "sqlite": "printf('%032x', {base} + n)",
}
ENDED = {
    ("render_jobs", "state"): "succeeded",
    ("credit_holds", "status"): "captured",
    ("jobs", "state"): "done",
}


async def write(url: str, admissions: Sequence[Admission], count: int) -> None:
    """Copy admissions until there are ``count`` more, shared out evenly."""
    async with opened(url) as database:
        for customer, admission in enumerate(admissions):
            copies = _Copies(database.dialect, admission, customer * OF_A_CUSTOMER)
            async with database.engine.begin() as connection:
                for table, row in admission.rows:
                    statement = copies.statement(table, row, count // len(admissions))
                    await connection.exec_driver_sql(statement)
        async with database.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.exec_driver_sql("ANALYZE")


class _Copies:
    """Says in SQL how the rows of an admission are copied."""

    def __init__(self, dialect: Dialect, admission: Admission, first: int) -> None:
        self._dialect = dialect
        ids = [UUID(str(row["id"])) for _, row in admission.rows if "id" in row]
        self._ids = {
            spelling: AS_ID[dialect].format(base=first + place * OF_A_ROW)
            for place, id_ in enumerate(ids)
            for spelling in spelled(id_)
        }

    def statement(self, table: str, row: Row, count: int) -> str:
        values = ", ".join(self._value(table, name, row[name]) for name in row)
        numbers = NUMBERS[self._dialect].format(count=count)
        return f"INSERT INTO {table} ({', '.join(row)}) SELECT {values} FROM ({numbers}) AS numbers"

    def _value(self, table: str, name: str, value: object) -> str:
        if name == "wallet_seq":
            return f"{SEQ_BASE} + n"
        value = ENDED.get((table, name), value)
        if value is None or isinstance(value, bool | int):
            return "NULL" if value is None else str(value)
        return self._cast(table, name, self._text(value))

    def _text(self, value: object) -> str:
        told = value.isoformat() if isinstance(value, datetime) else str(value)
        text = "'" + told.replace("'", "''") + "'"
        for spelling, id_ in self._ids.items():
            if spelling in told:
                text = f"replace({text}, '{spelling}', {id_})"
        return text

    def _cast(self, table: str, name: str, text: str) -> str:
        if self._dialect == "sqlite":
            return text
        kind = Base.metadata.tables[table].c[name].type.compile(POSTGRES)
        return f"({text})::{kind}"
