"""The tests of billing: a deployment that sells something."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.kernel.db.database import Database
from tests.domain.billing.books import open_shop


@pytest.fixture
async def shop(session: AsyncSession) -> AsyncSession:
    """An open transaction in a deployment that sells plans and a pack."""
    await open_shop(session)
    return session


@pytest.fixture
async def opened_shop(database: Database) -> Database:
    """The same, committed."""
    async with database.transaction() as session:
        await open_shop(session)
    return database
