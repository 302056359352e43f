"""The limit of the pipeline: ``celery -A bench.message_worker worker``, one message for each job.

Tasks run on 128 threads, and what they await on one event loop: ask the provider, insert a row.
There are no retries, leases, credits or pictures.
"""

import asyncio
import os
from threading import Thread
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import uvloop
from celery import Celery, signals  # type: ignore[import-untyped]  # it brings no types

from bench.stand_in import EDITS

BROKER, DATABASE, PROVIDER = "BENCH_BROKER", "BENCH_DATABASE", "BENCH_PROVIDER"
READY = "ready for messages"
JOB = "bench.job"
THREADS = 128
CONNECTIONS = 20
DONE = "INSERT INTO bench_jobs VALUES ($1, $2, clock_timestamp())"


class Resident:
    """The event loop of the process, and what its jobs share."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()

    def move_in(self, **_: Any) -> None:
        """Start the loop, and open everything there."""
        Thread(target=self._loop.run_forever, daemon=True).start()
        self._await(self._open())

    def do(self, job_id: str) -> None:
        self._await(self._do(job_id))

    def _await(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _open(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._pool = await asyncpg.create_pool(
            os.environ[DATABASE], min_size=CONNECTIONS, max_size=CONNECTIONS
        )

    async def _do(self, job_id: str) -> None:
        url = os.environ[PROVIDER] + EDITS
        async with self._session.post(url, json={"reference": job_id}) as answer:
            picture = await answer.read()
        await self._pool.execute(DONE, UUID(job_id), len(picture))


def _say_ready(**_: Any) -> None:
    print(READY, flush=True)


resident = Resident()
app = Celery("bench", broker=os.environ.get(BROKER))
app.conf.update(
    task_ignore_result=True,
    worker_pool="threads",
    worker_concurrency=THREADS,
    worker_redirect_stdouts=False,
)
app.task(name=JOB)(resident.do)
signals.worker_init.connect(resident.move_in)
signals.worker_ready.connect(_say_ready)
