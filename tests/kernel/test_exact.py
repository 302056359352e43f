"""Exact columns: the same digits come back, on both databases."""

from decimal import Decimal

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from medici.kernel.exact import Exact
from medici.kernel.money import InvalidAmount

COSTS = Table(
    "exact_costs",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("cost", Exact(10)),
)
DIALECTS = (postgresql.dialect(), sqlite.dialect())  # type: ignore[no-untyped-call]


async def stored(session: AsyncSession, *costs: Decimal | int | None) -> None:
    connection = await session.connection()
    await connection.run_sync(COSTS.create)
    await session.execute(insert(COSTS), [{"cost": cost} for cost in costs])


class TestExact:
    @pytest.mark.parametrize(
        "cost", ["0", "-0.0000000001", "123456789.1234567891", "922337203.6854775807"]
    )
    async def test_comes_back_as_it_went(self, session: AsyncSession, cost: str) -> None:
        await stored(session, Decimal(cost))

        back = await session.scalar(select(COSTS.c.cost))

        assert f"{back:f}" == f"{Decimal(cost):.10f}"

    async def test_keeps_nothing_as_nothing(self, session: AsyncSession) -> None:
        await stored(session, None)

        assert (await session.execute(select(COSTS.c.cost))).scalars().all() == [None]

    async def test_sums_and_compares_exactly(self, session: AsyncSession) -> None:
        await stored(session, *[Decimal("0.1")] * 10, 2)

        total = select(func.sum(COSTS.c.cost)).where(COSTS.c.cost < Decimal("0.1000000001"))

        assert await session.scalar(total) == Decimal(1)

    @pytest.mark.parametrize(
        "cost", [Decimal("0.00000000001"), Decimal("NaN"), Decimal("1e28"), 0.5]
    )
    async def test_never_rounds_by_itself(self, session: AsyncSession, cost: Decimal) -> None:
        with pytest.raises(StatementError) as refused:
            await stored(session, cost)

        assert isinstance(refused.value.orig, InvalidAmount)

    def test_refuses_what_sqlite_cannot_hold(self) -> None:
        with pytest.raises(InvalidAmount):
            Exact(10).process_bind_param(Decimal("922337203.6854775808"), sqlite.dialect())
