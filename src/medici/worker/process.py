"""A worker within the process at hand, and what a process does about work if it has none."""

import asyncio
import signal
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from random import SystemRandom

import structlog

from medici.bootstrap import job_registry, opened, prepare
from medici.jobs.kinds import Queue
from medici.jobs.leases import free_leases
from medici.jobs.server_lock import ServerLock
from medici.jobs.worker import Worker, WorkerOptions
from medici.kernel.db.url import sqlite_path
from medici.kernel.telemetry.metrics import Metrics
from medici.resources import Resources
from medici.settings import Settings
from medici.startup import check_settings, relieve_collector, start_telemetry
from medici.worker.relay import relaying

log = structlog.get_logger("medici.worker")
EVERY_QUEUE = tuple(Queue)


def worker_of(
    resources: Resources, *, queues: Collection[Queue] = EVERY_QUEUE
) -> Worker[Resources]:
    """Make a worker for this process."""
    settings = resources.settings
    return Worker(
        database=resources.database,
        registry=job_registry(),
        resources=resources,
        clock=resources.clock,
        draw=SystemRandom().random,
        options=WorkerOptions(
            queues=tuple(queues),
            concurrency=settings.medici_worker_concurrency,
            lease_seconds=settings.medici_job_lease_seconds,
            poll_seconds=settings.medici_worker_poll_seconds,
        ),
        observer=JobMetrics(resources.metrics),
    )


@asynccontextmanager
async def background(resources: Resources) -> AsyncIterator[None]:
    """See to background work while the block runs: here, or by ringing for Celery's workers."""
    match resources.settings.medici_runner:
        case "embedded":
            async with embedded(resources):
                yield
        case "celery":
            # Importing Celery takes half a second and more memory than most of us need.
            from medici.worker.messages import Bells, MediciCelery  # noqa: PLC0415

            bells = Bells(MediciCelery(lambda: resources.settings))
            async with relaying(resources.database, bells.ring):
                yield
        case "external":
            yield


@asynccontextmanager
async def embedded(resources: Resources) -> AsyncIterator[None]:
    """Work in the background while the block runs, then finish or hand back what is under way."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker_of(resources).run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def sole_server(resources: Resources) -> AsyncIterator[None]:
    """Mark this process as the server of its SQLite file, if no other is.

    Whoever gets the lock knows that the server before it is dead, and frees its leases at once.
    """
    path = sqlite_path(resources.database.engine.url)
    lock = ServerLock(path) if path is not None else None
    if lock is not None and lock.acquire():
        async with resources.database.transaction() as session:
            await free_leases(session)
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


async def run_worker(settings: Settings, *, queues: Collection[Queue] = EVERY_QUEUE) -> None:
    """Drain the queues until SIGTERM or SIGINT."""
    start_telemetry(settings)
    check_settings(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    async with opened(settings) as resources:
        await prepare(resources)
        async with sole_server(resources):
            relieve_collector()
            log.info("worker.started")
            await worker_of(resources, queues=queues).run(stop)
    log.info("worker.stopped")


class JobMetrics:
    """Tells the metrics how background work goes."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def started(self, kind: str) -> None:
        """Nothing is counted before an end."""

    def finished(self, kind: str, outcome: str, seconds: float) -> None:
        self._metrics.job_ran(kind, outcome=outcome, seconds=seconds)
