"""A database with a table that has a column of every type."""

import pytest

from medici.kernel.db.database import Database
from tests.kernel.db.samples import make_table


@pytest.fixture
async def samples(database: Database) -> Database:
    await make_table(database)
    return database
