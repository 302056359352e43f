"""What tests of background work share."""

import pytest

from medici.kernel.db.database import Database
from tests.jobs.work import Bench, make_effects


@pytest.fixture
async def bench() -> Bench:
    return Bench()


@pytest.fixture
async def queue(database: Database) -> Database:
    """The database, with the table that handlers leave their marks in."""
    await make_effects(database)
    return database
