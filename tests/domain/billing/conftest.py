"""The tests of billing: a deployment that sells something."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans.service import install_defaults
from medici.kernel.db.database import Database
from tests.domain.billing.books import open_shop
from tests.domain.billing.resetting import NOON


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


@pytest.fixture
async def sold(database: Database) -> Database:
    """A deployment with its default plans."""
    async with database.transaction() as session:
        await install_defaults(session, now=NOON)
    return database
