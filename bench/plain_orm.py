"""The same rows written as an application would that has an ORM and takes no other care."""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from tests.support.databases import opened

from bench.rows import Admission
from medici.domain.ledger.models import Grant, GrantSource, Wallet
from medici.kernel.db.base import Base
from medici.kernel.db.driver.query import from_driver

AT_ONCE = 10  # more only wait for a connection


async def write(url: str, admissions: Sequence[Admission], times: int) -> float:
    """Write ``times`` admissions, by the customers in turn; return how many a second."""
    turns = iter(range(times))
    async with opened(url) as database:
        objects = _Objects(database.engine.dialect)

        async def write_some() -> None:
            for turn in turns:
                async with database.transaction() as session:
                    await _write(session, objects, admissions[turn % len(admissions)])

        began_at = time.perf_counter()
        await asyncio.gather(*(write_some() for _ in range(AT_ONCE)))
        return times / (time.perf_counter() - began_at)


async def _write(session: AsyncSession, objects: "_Objects", admission: Admission) -> None:
    wallet = (
        await session.scalars(
            select(Wallet).where(Wallet.id == objects.id_of(admission)).with_for_update()
        )
    ).one()
    grants = await session.scalars(
        select(Grant).where(Grant.wallet_id == wallet.id, Grant.source == GrantSource.ADMIN)
    )
    wallet.available, wallet.held, wallet.seq = (
        wallet.available - 1,
        wallet.held + 1,
        wallet.seq + 1,
    )
    for grant in grants:
        grant.held += 1
    for _, of_a_table in itertools.groupby(objects.of(admission, wallet.seq), type):
        session.add_all(of_a_table)
        await session.flush()


class _Objects:
    """Makes objects of the rows that a driver gave."""

    def __init__(self, dialect: Any) -> None:
        self._dialect = dialect
        self._classes = {m.class_.__tablename__: m.class_ for m in Base.registry.mappers}
        self._readers: dict[tuple[str, str], Callable[[Any], Any] | None] = {}

    def id_of(self, admission: Admission) -> Any:
        return self._read("credit_wallets", "id", admission.wallet_id)

    def of(self, admission: Admission, seq: int) -> list[object]:
        """Return the objects of another admission, the ``seq``-th posting of the same wallet."""
        return [
            self._classes[table](
                **{
                    name: self._read(table, name, value)
                    for name, value in zip(row, values, strict=True)
                }
            )
            for (table, row), values in zip(admission.rows, admission.anew(seq), strict=True)
        ]

    def _read(self, table: str, name: str, value: object) -> object:
        if (table, name) not in self._readers:
            kind = Base.metadata.tables[table].c[name].type
            self._readers[table, name] = from_driver(kind, self._dialect)
        read = self._readers[table, name]
        return read(value) if read else value
