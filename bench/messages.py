"""The limit of the pipeline: jobs done by a Celery worker that gets a message for each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
from celery import Celery  # type: ignore[import-untyped]  # it brings no types
from tests.faults.processes import MediciProcess

from bench.message_worker import BROKER, DATABASE, JOB, PROVIDER, READY
from bench.processor import family_cpu_seconds
from bench.rounds import Round
from bench.studios import Studio
from medici.kernel.ids import new_id

REPOSITORY = Path(__file__).parents[1]
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 120.0
TABLE = """
    CREATE TABLE IF NOT EXISTS bench_jobs (
        id uuid PRIMARY KEY, answer_bytes integer NOT NULL, finished_at timestamptz NOT NULL
    )
"""
EMPTY = "TRUNCATE bench_jobs"
COUNT = "SELECT count(*) FROM bench_jobs"
FINISHED = "SELECT extract(epoch FROM finished_at)::float8 FROM bench_jobs"


async def do_by_messages(rooms: Studio, count: int) -> Round:
    """Send a message for each job, then have a worker take them."""
    connection = await asyncpg.connect(rooms.deployment.database_url)
    try:
        await connection.execute(TABLE)
        await connection.execute(EMPTY)
        await asyncio.to_thread(_send, rooms.broker.url, count)
        async with _worker(rooms) as pid, asyncio.timeout(PATIENCE_SECONDS):
            used = family_cpu_seconds(pid)
            while await connection.fetchval(COUNT) < count:  # noqa: ASYNC110 - others do it
                await asyncio.sleep(LOOK_SECONDS)
            used = family_cpu_seconds(pid) - used
        finished_at = [row[0] for row in await connection.fetch(FINISHED)]
        return Round(finished_at=finished_at, cpu_seconds=used)
    finally:
        await connection.close()


def _send(broker: str, count: int) -> None:
    with Celery("bench", broker=broker) as app, app.connection_for_write() as connection:
        for _ in range(count):
            app.send_task(JOB, args=[str(new_id())], connection=connection, ignore_result=True)


@asynccontextmanager
async def _worker(rooms: Studio) -> AsyncIterator[int]:
    """Have the worker up while the block runs, and tell its process."""
    with TemporaryDirectory(prefix="bench-") as directory:
        worker = MediciProcess(
            ("-m", "celery", "-A", "bench.message_worker", "worker"),
            ready_line=READY.encode(),
            settings={
                BROKER: rooms.broker.url,
                DATABASE: rooms.deployment.database_url,
                PROVIDER: rooms.provider,
                "PYTHONPATH": str(REPOSITORY),
                "MEDICI_DATA_DIR": directory,  # where it runs
            },
        )
        await worker.start()
        try:
            await worker.up()
            yield worker.pid
        finally:
            await worker.kill()
