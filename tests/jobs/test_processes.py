"""Workers that are processes: killed in the middle, frozen and thawed, poisoned."""

import asyncio
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from medici.jobs.models import State
from medici.kernel.db.database import Database
from medici.kernel.db.errors import DatabaseUnavailable
from tests.jobs.acts import QUICK, job, put, until_state, working
from tests.jobs.waiting import until
from tests.jobs.work import AWAIT, NOTE, POISON, Bench, effects

LEASE_SECONDS = 0.9
TAKING_OVER = replace(QUICK, lease_seconds=LEASE_SECONDS)


@asynccontextmanager
async def child(url: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.jobs.child", url, str(LEASE_SECONDS), stdout=PIPE
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def heard(process: Process, line: str) -> None:
    """Wait until a child has said something."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while (said := await process.stdout.readline()) != f"{line}\n".encode():
            assert said, "the child has gone"


class TestKill:
    async def test_costs_no_work_and_doubles_none(
        self, queue: Database, database_url: str, bench: Bench, tmp_path: Path
    ) -> None:
        sign = tmp_path / "sign"
        ids = [await put(queue, AWAIT, path=str(sign)) for _ in range(3)]
        async with child(database_url) as process:
            for _ in ids:
                await heard(process, "started tests.await")
            process.kill()
            await process.wait()
        killed_at = time.monotonic()
        sign.touch()

        async with working(queue, bench, options=TAKING_OVER):
            for job_id in ids:
                await until_state(queue, job_id, State.DONE)

        assert time.monotonic() - killed_at < LEASE_SECONDS + 2
        assert await effects(queue) == [(str(job_id), "seen") for job_id in ids]
        assert {(await job(queue, job_id)).losses for job_id in ids} == {1}


class TestFreeze:
    async def test_lets_another_take_over_and_the_thawed_write_nothing(
        self, queue: Database, database_url: str, bench: Bench, tmp_path: Path
    ) -> None:
        sign = tmp_path / "sign"
        job_id = await put(queue, AWAIT, path=str(sign))
        async with child(database_url) as process:
            await heard(process, "started tests.await")
            await freeze(process, queue, job_id)
            sign.touch()
            async with working(queue, bench, options=TAKING_OVER):
                await until_state(queue, job_id, State.DONE)

            process.send_signal(signal.SIGCONT)
            await heard(process, "lost tests.await")

        assert await effects(queue) == [(str(job_id), "seen")]
        assert (await job(queue, job_id)).attempts == 2


async def freeze(process: Process, database: Database, job_id: UUID) -> None:
    """Stop a process at a moment when it holds no lock that all others would wait for."""

    async def stopped() -> bool:
        process.send_signal(signal.SIGSTOP)
        if await is_free(database, job_id):
            return True
        process.send_signal(signal.SIGCONT)
        return False

    await until(stopped)


async def is_free(database: Database, job_id: UUID) -> bool:
    if database.dialect == "sqlite":
        assert database.engine.url.database is not None
        with closing(sqlite3.connect(database.engine.url.database, timeout=0)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True
    with suppress(DatabaseUnavailable):
        async with database.transaction() as session:
            await session.execute(
                text("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE NOWAIT"), {"id": job_id}
            )
            return True
    return False


class TestPoison:
    async def test_kills_three_workers_and_no_more(
        self, queue: Database, database_url: str
    ) -> None:
        poison = await put(queue, POISON)
        for _ in range(3):
            async with child(database_url) as process, asyncio.timeout(30):
                assert await process.wait() == 1

        async with child(database_url):
            await until_state(queue, poison, State.DEAD, within=30)
            await until_state(queue, await put(queue, NOTE), State.DONE)

        assert (str(poison), "buried: worker_lost") in await effects(queue)
