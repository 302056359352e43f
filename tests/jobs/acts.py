"""What these tests do again and again: put a job in, look at it, have a worker at work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from medici.jobs.claims import Claim, Claimant, claim_one_due
from medici.jobs.handlers import Registry
from medici.jobs.kinds import Argument, JobKind
from medici.jobs.models import Job, State
from medici.jobs.observer import JobObserver
from medici.jobs.queue import enqueue
from medici.jobs.worker import Worker, WorkerOptions
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from tests.jobs.waiting import until
from tests.jobs.work import NOW, REGISTRY, Bench, clock, draw
from tests.support.databases import opened

QUICK = WorkerOptions(lease_seconds=2.0, poll_seconds=0.05, tick_seconds=0.05, grace_seconds=5)


async def put(
    database: Database,
    kind: JobKind,
    *,
    now: datetime = NOW,
    run_at: datetime | None = None,
    key: str | None = None,
    **args: Argument,
) -> UUID:
    async with database.transaction() as session:
        return await enqueue(session, kind, now=now, args=args, run_at=run_at, key=key)


async def job(database: Database, job_id: UUID) -> Job:
    async with database.reading() as session:
        return await session.get_one(Job, job_id)


async def state(database: Database, job_id: UUID) -> State:
    return (await job(database, job_id)).state


async def until_state(
    database: Database, job_id: UUID, wanted: State, *, within: float = 10.0
) -> None:
    async def reached() -> bool:
        return await state(database, job_id) == wanted

    await until(reached, within=within)


async def take(database: Database, job_id: UUID, *, lease_seconds: float = 60.0) -> Claim:
    claimant = Claimant(worker=new_id(), lease_seconds=lease_seconds)
    async with database.transaction() as session:
        claim = await claim_one_due(session, claimant, job_id)
    assert claim is not None
    return claim


async def let_lapse(database: Database, job_id: UUID) -> None:
    """Make a job's lease end in the past, as if its worker had been silent for long."""
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE jobs SET lease_until = :past WHERE id = :id"),
            {
                "past": NOW if database.dialect == "postgresql" else "2026-01-01 00:00:00.000000",
                "id": job_id if database.dialect == "postgresql" else job_id.hex,
            },
        )


@asynccontextmanager
async def working(
    database: Database,
    bench: Bench,
    *,
    options: WorkerOptions = QUICK,
    registry: Registry = REGISTRY,
    observer: JobObserver | None = None,
    by_clock: Clock = clock,
) -> AsyncIterator[Worker[Bench]]:
    """Have a worker at work until the block ends."""
    worker = Worker(
        database=database,
        registry=registry,
        resources=bench,
        clock=by_clock,
        draw=draw,
        options=options,
        observer=observer,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield worker
    finally:
        stop.set()
        await task


@asynccontextmanager
async def opened_again(database: Database) -> AsyncIterator[Database]:
    """Open the same database once more, as another process does."""
    async with opened(database.engine.url.render_as_string(hide_password=False)) as other:
        yield other


@dataclass
class Watcher:
    """An observer that remembers what it was told."""

    begun: list[str] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)

    def started(self, kind: str) -> None:
        self.begun.append(kind)

    def finished(self, kind: str, outcome: str, seconds: float) -> None:
        self.ended.append((kind, outcome))
