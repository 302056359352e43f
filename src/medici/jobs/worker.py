"""A worker: claims due jobs and runs them side by side, until it is told to stop."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.active import Active, Stop
from medici.jobs.bell import listening
from medici.jobs.claims import Claim, Claimant, claim_fairly, claim_suspect
from medici.jobs.database_clock import database_time
from medici.jobs.handlers import Registry
from medici.jobs.kinds import Queue
from medici.jobs.leases import extend, recover_lost
from medici.jobs.observer import JobObserver, Silent
from medici.jobs.outcomes import Again
from medici.jobs.patience import Patience
from medici.jobs.performing import perform
from medici.jobs.presence import leave, show
from medici.jobs.run import Run
from medici.jobs.schedules import is_any_due, tick
from medici.jobs.settler import LINGER_SECONDS, Settler
from medici.jobs.sharing import Sharing
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database
from medici.kernel.db.errors import DatabaseUnavailable
from medici.kernel.ids import new_id

R = TypeVar("R")
log = structlog.get_logger("medici.jobs")
BUSY = 32  # runs under way from which on ends are gathered before they are written


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How much a worker takes on, and how long it waits for what."""

    queues: tuple[Queue, ...] = tuple(Queue)
    concurrency: int = 16
    batch: int = 128
    lease_seconds: float = 15.0
    poll_seconds: float = 1.0
    tick_seconds: float = 1.0
    grace_seconds: float = 20.0
    stubborn_seconds: float = 2.0  # for handlers that take their time to be cancelled


class Worker(Generic[R]):
    """Runs jobs of one database within one event loop. ``run`` it once; ``ring`` to hurry it."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        resources: R,
        clock: Clock,
        draw: Callable[[], float],
        options: WorkerOptions | None = None,
        observer: JobObserver | None = None,
    ) -> None:
        self.id = new_id()
        self._database = database
        self._registry = registry
        self._resources = resources
        self._clock = clock
        self._draw = draw
        self._options = options or WorkerOptions()
        self._observer = observer or Silent()
        self._claimant = Claimant(worker=self.id, lease_seconds=self._options.lease_seconds)
        self._queues = deque(self._options.queues)
        self._active: dict[tuple[UUID, int], Active] = {}
        self._settler = Settler(database=database, clock=clock, draw=draw, settled=self._on_settled)
        self._sharing = Sharing(database)
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beaten_at = 0.0
        self._suspect: UUID | None = None
        self._suspect_at = 0.0  # when to look for the next

    @property
    def running(self) -> int:
        """How many runs are under way."""
        return len(self._active)

    def ring(self) -> None:
        """Look for work now; may be called from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has been closed since
                self._loop.call_soon_threadsafe(self._wake.set)

    def _hear(self, queues: frozenset[Queue]) -> None:
        if not queues.isdisjoint(self._options.queues):
            self.ring()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then finish or hand back what is under way."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:  # a chore that dies takes the worker with it
            chores = [group.create_task(chore) for chore in self._chores(stop)]
            try:
                with listening(self._database.engine.sync_engine, self._hear):
                    await self._claim_until(stop)
                await self._drain()
            finally:
                self._loop = None
                await _end(chores + [active.task for active in self._active.values()])

    def _chores(self, stop: asyncio.Event) -> Iterable[Any]:
        yield self._settler.run()
        yield self._every(self._options.lease_seconds / 3, self._beat)
        yield self._wake_at(stop)
        if self._registry.schedules:
            yield self._every(self._options.tick_seconds, self._tick)

    # Claiming

    async def _claim_until(self, stop: asyncio.Event) -> None:
        patience = Patience(self._draw)
        while not stop.is_set():
            try:
                more = await self._claim()
            except Exception as error:  # a worker outlives whatever befalls one of its turns
                _report(error)
                await self._pause(patience.next_seconds())
                continue
            patience.restore()
            if not more:
                await self._pause(self._options.poll_seconds)

    async def _claim(self) -> bool:
        """Take and start what there is room for; tell whether to look again at once."""
        room = min(self._options.batch, self._options.concurrency - len(self._active))
        if not room:
            return False
        if self._elapsed() - self._beaten_at > self._options.lease_seconds / 2:
            await self._beat()  # after a freeze: renew what is still ours before we call it lost
        async with self._database.transaction() as session:
            await recover_lost(session)
            claims, more = await claim_fairly(
                session, self._claimant, queues=self._queues, room=room
            )
            suspects = await self._suspects(session) if len(claims) < room else []
        self._suspect = suspects[0].id if suspects else self._suspect
        self._queues.rotate()
        for claim in claims + suspects:
            self._start(claim)
        return more

    async def _suspects(self, session: AsyncSession) -> list[Claim]:
        """Take a job that workers have died of, one at a time.

        Whoever was running when a worker died is suspect, most of them wrongly. Were they run side
        by side, the one that is to blame would take all the others with it.
        """
        if self._suspect is not None or self._elapsed() < self._suspect_at:
            return []
        self._suspect_at = self._elapsed() + self._options.tick_seconds
        return await claim_suspect(session, self._claimant, queues=self._queues)

    def _start(self, claim: Claim) -> None:
        run = Run(
            resources=self._resources,
            database=self._database,
            claim=claim,
            clock=self._clock,
            sharing=self._sharing,
        )
        task = asyncio.create_task(perform(self._registry, run, claim))
        active = Active(claim=claim, run=run, task=task, started_at=self._elapsed())
        self._active[claim.id, claim.fence] = active
        self._quiet.clear()
        self._settler.linger_seconds = LINGER_SECONDS if len(self._active) > BUSY else 0.0
        task.add_done_callback(lambda _task: self._settler.add(active))
        self._observer.started(claim.kind)

    def _on_settled(self, active: Active) -> None:
        if self._active.pop((active.claim.id, active.claim.fence), None) is None:
            return
        if active.claim.id == self._suspect:
            self._suspect, self._suspect_at = None, 0.0
            self._wake.set()
        outcome, seconds = active.outcome, self._elapsed() - active.started_at
        self._observer.finished(active.claim.kind, outcome.name, seconds)
        if isinstance(outcome, Again):
            self._wake_by(outcome.at)
        if len(self._active) + 1 == self._options.concurrency:
            self._wake.set()
        if not self._active:
            self._quiet.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    def _wake_by(self, moment: datetime) -> None:
        """Do not let a short wait become as long as a poll."""
        seconds = max((moment - self._clock()).total_seconds(), 0.0)
        if self._loop is not None and seconds < self._options.poll_seconds:
            self._loop.call_later(seconds, self._wake.set)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    # Staying alive

    async def _beat(self) -> None:
        """Show that we live, renew all leases, and stop the runs that have lost theirs."""
        claims = [active.claim for active in self._active.values()]
        async with self._database.transaction() as session:
            await show(session, self.id)
            held = await extend(session, claims, lease_seconds=self._options.lease_seconds)
        self._beaten_at = self._elapsed()
        for claim in claims:
            active = self._active.get((claim.id, claim.fence))
            if active and (claim.id, claim.fence) not in held and not active.run.finishing:
                active.stop(Stop.LOST)

    async def _tick(self) -> None:
        schedules = self._registry.schedules
        async with self._database.reading() as session:
            now = await database_time(session)
            due = await is_any_due(session, schedules, now=now)
        if due:
            async with self._database.transaction() as session:
                await tick(session, schedules, now=now)

    async def _every(self, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except Exception as error:  # the next turn may do better, and no turn ends the worker
                _report(error)
            await asyncio.sleep(seconds)

    # Stopping

    async def _drain(self) -> None:
        """Let runs finish, then hand back those that have not, whether they listen or not."""
        if not await self._is_quiet(within=self._options.grace_seconds):
            for active in tuple(self._active.values()):
                active.stop(Stop.DRAINED)
        if not await self._is_quiet(within=self._options.stubborn_seconds):
            for active in tuple(self._active.values()):
                self._settler.add(active)
        await self._is_quiet(within=self._options.stubborn_seconds)
        await self._say_goodbye()

    async def _is_quiet(self, *, within: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._active:
                    await self._quiet.wait()
        return not self._active

    async def _say_goodbye(self) -> None:
        with suppress(DatabaseUnavailable):
            async with self._database.transaction() as session:
                await leave(session, self.id)

    def _elapsed(self) -> float:
        return asyncio.get_running_loop().time()


def _report(error: Exception) -> None:
    if isinstance(error, DatabaseUnavailable):
        log.warning("worker.database_unavailable")
    else:
        log.error("worker.turn_failed", exc_info=error)


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
