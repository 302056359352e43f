"""Celery's workers as processes, and the jobs that they are given: the queue's own sweep."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select

from medici.jobs.kinds import Argument, JobKind, Queue
from medici.jobs.models import Job, State
from medici.jobs.queue import enqueue
from medici.jobs.tasks import SWEEP
from medici.kernel.db.database import Database
from tests.faults.deployments import CELERY
from tests.faults.processes import MediciProcess
from tests.jobs.waiting import until

DRAINING = b"worker.started"
LISTENING = b" ready."
HOUR_SECONDS = 3600.0


@asynccontextmanager
async def celery_worker(
    database_url: str,
    broker_url: str,
    directory: Path,
    *,
    poll_seconds: float = 1.0,
    queues: Sequence[str] = tuple(Queue),
    ready_line: bytes = LISTENING,
) -> AsyncIterator[MediciProcess]:
    """Have a worker up, in a directory that exists; it is gone when the block is left."""
    worker = MediciProcess(
        (*CELERY, "worker", "-Q", ",".join(queues)),
        ready_line=ready_line,
        settings={
            "DATABASE_URL": database_url,
            "CELERY_BROKER_URL": broker_url,
            "MEDICI_DATA_DIR": str(directory),
            "MEDICI_WORKER_POLL_SECONDS": str(poll_seconds),
            "MEDICI_LOG_FORMAT": "json",
            "MEDICI_DATABASE_POOL_SIZE": "5",
        },
    )
    await worker.start()
    try:
        await worker.up()
        yield worker
    finally:
        await worker.kill()


async def put(database: Database, count: int = 1, *, kind: JobKind = SWEEP) -> list[UUID]:
    """Put jobs in, as a request would."""
    none: dict[str, Argument] = {}
    async with database.transaction() as session:
        return [
            await enqueue(session, kind, now=datetime.now(UTC), args=none) for _ in range(count)
        ]


async def until_done(database: Database, jobs: Sequence[UUID], *, within: float = 20.0) -> None:
    async def done() -> bool:
        return await in_state(database, jobs, State.DONE) == len(jobs)

    await until(done, within=within)


async def in_state(database: Database, jobs: Sequence[UUID], state: State) -> int:
    async with database.reading() as session:
        counted = select(func.count()).where(Job.id.in_(jobs), Job.state == state)
        return (await session.execute(counted)).scalar_one()


async def until_idle(database: Database) -> None:
    """Wait until the schedules' first round is over, so that nothing else rings for a while."""

    async def idle() -> bool:
        async with database.reading() as session:
            counts = select(func.count()).where(Job.state != State.DONE), select(func.count(Job.id))
            unfinished, all_of_them = [(await session.execute(one)).scalar_one() for one in counts]
        return all_of_them > 0 and unfinished == 0

    await until(idle, within=20)
