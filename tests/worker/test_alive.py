"""A container's health check asks whether the worker of this host is alive."""

from medici.jobs.presence import leave, show
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from medici.worker.alive import is_alive


class TestIsAlive:
    async def test_believes_a_worker_that_shows_itself(self, database: Database) -> None:
        async with database.transaction() as session:
            await show(session, new_id())

        assert await is_alive(database)

    async def test_misses_one_that_has_left(self, database: Database) -> None:
        worker = new_id()
        async with database.transaction() as session:
            await show(session, worker)
            await leave(session, worker)

        assert not await is_alive(database)
