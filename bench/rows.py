"""The limit of admission: the very rows of one, written by the database's driver alone.

Each customer has one admission done by the server, and the rows that it inserted are read back.
Writing it again is one transaction: lock the wallet, insert each row by a statement of its own
with fresh ids, move the numbers of wallet and grant, commit. Nothing is checked, decided or sent
over HTTP.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy import Table
from sqlalchemy.engine import make_url

from medici.kernel.db.base import Base
from medici.kernel.db.engine import SQLITE_PRAGMAS
from medici.kernel.ids import new_id

Row: TypeAlias = Mapping[str, object]
Tables: TypeAlias = Mapping[str, Sequence[Row]]

LOOK = "SELECT seq FROM credit_wallets WHERE id = {}"
MOVE_WALLET = """
    UPDATE credit_wallets SET available = available - 1, held = held + 1, seq = seq + 1
    WHERE id = {}
"""
MOVE_GRANT = """
    UPDATE credit_grants SET held = held + 1 WHERE source = 'admin' AND wallet_id = {}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The rows of one customer's admission, in the order of their foreign keys."""

    rows: Sequence[tuple[str, Row]]

    @classmethod
    def between(cls, before: Tables, after: Tables) -> "Admission":
        """Find the rows that are new."""
        rows: list[tuple[str, Row]] = []
        for table in Base.metadata.sorted_tables:
            known = {_key(table, row) for row in before[table.name]}
            new = [row for row in after[table.name] if _key(table, row) not in known]
            rows += [(table.name, row) for row in new]
        return cls(rows=rows)

    @property
    def wallet_id(self) -> object:
        return next(row["wallet_id"] for table, row in self.rows if table == "credit_holds")

    def inserts(self, mark: str) -> list[str]:
        """Return the statement for each row; ``mark`` begins a parameter: ``?`` or ``$``."""
        return [
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(_marks(mark, len(row)))})"
            for table, row in self.rows
        ]

    def anew(self, seq: int) -> list[list[object]]:
        """Return the values of another admission, the ``seq``-th posting of the same wallet."""
        fresh = _renaming(UUID(str(row["id"])) for _, row in self.rows if "id" in row)
        return [
            [seq if name == "wallet_seq" else fresh(value) for name, value in row.items()]
            for _, row in self.rows
        ]


class SqliteDriver:
    """Python's own ``sqlite3`` on one connection, since SQLite has one writer."""

    def __init__(self, url: str) -> None:
        self._path = make_url(url).database or ""

    async def tables(self) -> Tables:
        with closing(self._connect()) as connection:
            connection.row_factory = sqlite3.Row
            return {
                name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]
                for name in Base.metadata.tables
            }

    async def write(self, admissions: Sequence[Admission], times: int) -> float:
        """Write ``times`` admissions, by the customers in turn; return how many a second."""
        with closing(self._connect()) as connection:
            began_at = time.perf_counter()
            for turn in range(times):
                _write_to_sqlite(connection, admissions[turn % len(admissions)])
            return times / (time.perf_counter() - began_at)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        for pragma in SQLITE_PRAGMAS:
            connection.execute(pragma)
        return connection


class PostgresDriver:
    """asyncpg with a connection for each customer, all at once."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def tables(self) -> Tables:
        connection = await asyncpg.connect(self._url)
        try:
            return {
                name: [dict(row) for row in await connection.fetch(f"SELECT * FROM {name}")]
                for name in Base.metadata.tables
            }
        finally:
            await connection.close()

    async def write(self, admissions: Sequence[Admission], times: int) -> float:
        """Write ``times`` admissions, shared out evenly; return how many a second."""
        connections = [await asyncpg.connect(self._url) for _ in admissions]
        share = times // len(admissions)
        began_at = time.perf_counter()
        await asyncio.gather(
            *(
                _write_to_postgres(connection, admission, share)
                for connection, admission in zip(connections, admissions, strict=True)
            )
        )
        took = time.perf_counter() - began_at
        await asyncio.gather(*(connection.close() for connection in connections))
        return share * len(admissions) / took


def _write_to_sqlite(connection: sqlite3.Connection, admission: Admission) -> None:
    connection.execute("BEGIN IMMEDIATE")
    (seq,) = connection.execute(LOOK.format("?"), (admission.wallet_id,)).fetchone()
    for insert, values in zip(admission.inserts("?"), admission.anew(seq + 1), strict=True):
        connection.execute(insert, values)
    connection.execute(MOVE_WALLET.format("?"), (admission.wallet_id,))
    connection.execute(MOVE_GRANT.format("?"), (admission.wallet_id,))
    connection.execute("COMMIT")


async def _write_to_postgres(
    connection: "asyncpg.Connection", admission: Admission, times: int
) -> None:
    inserts = admission.inserts("$")
    for _ in range(times):
        async with connection.transaction():
            look = f"{LOOK.format('$1')} FOR UPDATE"
            seq = await connection.fetchval(look, admission.wallet_id)
            for insert, values in zip(inserts, admission.anew(seq + 1), strict=True):
                await connection.execute(insert, *values)
            await connection.execute(MOVE_WALLET.format("$1"), admission.wallet_id)
            await connection.execute(MOVE_GRANT.format("$1"), admission.wallet_id)


def _key(table: Table, row: Row) -> tuple[object, ...]:
    return tuple(row[column.name] for column in table.primary_key)


def _marks(mark: str, count: int) -> list[str]:
    return [f"${n}" if mark == "$" else "?" for n in range(1, count + 1)]


def spelled(id_: UUID) -> tuple[str, str]:
    """Return how an id is written, with and without its dashes."""
    return str(id_), id_.hex


def _renaming(ids: Iterable[UUID]) -> Callable[[object], object]:
    """Return what puts a new id in the place of each old one, however it is spelled."""
    new = {old: new_id() for old in ids}
    spellings = {
        was: becomes
        for old, id_ in new.items()
        for was, becomes in zip(spelled(old), spelled(id_), strict=True)
    }

    def renamed(value: object) -> object:
        if isinstance(value, UUID):
            return new.get(value, value)
        if isinstance(value, str):
            for old, id_ in spellings.items():
                value = value.replace(old, id_)
        return value

    return renamed
