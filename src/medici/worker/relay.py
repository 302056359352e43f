"""The relay: passes the rings of this process on to a broker, never within a transaction.

Rings only save waiting: workers look into the table by themselves, too. So a broker that is away
costs a line in the log, and what was rung meanwhile is passed on when it is back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from random import SystemRandom
from typing import TypeAlias

import structlog

from medici.jobs.bell import listening
from medici.jobs.kinds import Queue
from medici.jobs.patience import Patience
from medici.kernel.db.database import Database

log = structlog.get_logger("medici.relay")
REST_SECONDS = 0.02  # what is rung meanwhile is passed on as one

Publish: TypeAlias = Callable[[Collection[Queue]], None]


class Relay:
    """Gathers rings in the thread of its loop, and publishes them in a thread of its own."""

    def __init__(self, publish: Publish, *, draw: Callable[[], float]) -> None:
        self._publish = publish
        self._patience = Patience(draw)
        self._loop = asyncio.get_running_loop()
        self._heard = asyncio.Event()
        self._rung: set[Queue] = set()
        self._is_away = False

    def hear(self, queues: frozenset[Queue]) -> None:
        """Note that there is work in these queues; may be called from any thread."""
        with suppress(RuntimeError):  # the loop has been closed since
            self._loop.call_soon_threadsafe(self._note, queues)

    async def run(self) -> None:
        """Pass on what is heard, until it is cancelled."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="relay")
        try:
            while True:
                await self._heard.wait()
                await self._pass_on(self._taken(), thread)
        finally:
            thread.shutdown(wait=False)  # the loop does not wait for a broker that is silent

    async def _pass_on(self, queues: frozenset[Queue], thread: ThreadPoolExecutor) -> None:
        try:
            await self._loop.run_in_executor(thread, self._publish, queues)
        except Exception as error:  # each broker has errors of its own, and none of them is fatal
            await self._wait_for_broker(queues, error)
        else:
            await self._rest()

    def _note(self, queues: frozenset[Queue]) -> None:
        self._rung |= queues
        self._heard.set()

    def _taken(self) -> frozenset[Queue]:
        queues = frozenset(self._rung)
        self._rung.clear()
        self._heard.clear()
        return queues

    async def _rest(self) -> None:
        if self._is_away:
            log.info("relay.broker_back")
        self._is_away = False
        self._patience.restore()
        await asyncio.sleep(REST_SECONDS)

    async def _wait_for_broker(self, queues: frozenset[Queue], error: Exception) -> None:
        if not self._is_away:
            log.warning("relay.broker_away", reason=str(error))
        self._is_away = True
        self._note(queues)
        await asyncio.sleep(self._patience.next_seconds())


@asynccontextmanager
async def relaying(database: Database, publish: Publish) -> AsyncIterator[None]:
    """Pass on every ring about this database while the block runs."""
    relay = Relay(publish, draw=SystemRandom().random)
    task = asyncio.create_task(relay.run())
    try:
        with listening(database.engine.sync_engine, relay.hear):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
