import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from medici.kernel.db.database import Database
from tests.domain.ledger.teller import Teller

STATEMENTS = [
    "UPDATE ledger_transactions SET reason = 'another'",
    "DELETE FROM ledger_transactions",
    "UPDATE ledger_entries SET amount = amount + 1",
    "DELETE FROM ledger_entries",
]


class TestAppendOnly:
    @pytest.mark.parametrize("statement", STATEMENTS)
    async def test_refuses_to_change_or_delete(self, database: Database, statement: str) -> None:
        async with database.transaction() as session:
            await Teller.of(session, credits=1)

        with pytest.raises(DBAPIError, match="is append-only"):
            async with database.transaction() as session:
                await session.execute(text(statement))

    @pytest.mark.parametrize("table", ["ledger_transactions", "ledger_entries"])
    async def test_refuses_to_truncate(self, database: Database, table: str) -> None:
        if database.dialect == "sqlite":
            return  # it has no such statement
        with pytest.raises(DBAPIError, match="is append-only"):
            async with database.transaction() as session:
                await session.execute(text(f"TRUNCATE {table} CASCADE"))
