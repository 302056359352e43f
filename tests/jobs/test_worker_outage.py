"""A worker whose database goes away under it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from medici.jobs.models import State
from medici.kernel.db.database import Database
from medici.kernel.db.errors import DatabaseUnavailable
from tests.jobs.acts import QUICK, put, until_state, working
from tests.jobs.waiting import until, until_true
from tests.jobs.work import HOLD, NOTE, NOW, Bench, effects
from tests.support.databases import opened


class TestOutage:
    async def test_is_outlived(self, queue: Database, bench: Bench, tmp_path: Path) -> None:
        """The database goes away under running jobs and comes back; nobody restarts anything."""
        make_impatient(queue)
        before = [await put(queue, HOLD) for _ in range(4)]
        meanwhile = [await put(queue, NOTE, run_at=NOW + timedelta(seconds=0.2)) for _ in range(4)]
        options = replace(QUICK, lease_seconds=5.0)  # leases outlast the outage

        async with working(queue, bench, options=options):
            await until_true(lambda: len(bench.started) == 4)
            async with away(queue, tmp_path):
                bench.release.set()
                await asyncio.sleep(0.5)  # long enough to fail several times
            await until(partial(answers, queue))  # our own connections died, too
            for job_id in before + meanwhile:
                await until_state(queue, job_id, State.DONE, within=5)

        assert len(await effects(queue)) == 8


async def answers(database: Database) -> bool:
    try:
        await database.check()
    except DatabaseUnavailable:
        return False
    return True


def make_impatient(database: Database) -> None:
    """Have SQLite report a lock soon instead of waiting for it."""
    if database.dialect == "sqlite":

        @event.listens_for(database.engine.sync_engine, "checkout")
        def _(connection: Any, *_: object) -> None:
            connection.execute("PRAGMA busy_timeout=20")


@asynccontextmanager
async def away(database: Database, directory: Path) -> AsyncIterator[None]:
    if database.dialect == "sqlite":
        assert database.engine.url.database is not None
        connection = sqlite3.connect(database.engine.url.database, isolation_level=None, timeout=60)
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.rollback()
        connection.close()
    else:
        killing = asyncio.create_task(kill_connections(database))
        yield
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)


async def kill_connections(database: Database) -> None:
    """End every connection to this database again and again, from outside it."""
    name = database.engine.url.database
    async with opened_elsewhere(database) as other:
        while True:
            async with other.engine.connect() as connection:
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = :name"
                    ),
                    {"name": name},
                )
            await asyncio.sleep(0.01)


@asynccontextmanager
async def opened_elsewhere(database: Database) -> AsyncIterator[Database]:
    url = database.engine.url.set(database="postgres")
    async with opened(url.render_as_string(hide_password=False)) as other:
        yield other
