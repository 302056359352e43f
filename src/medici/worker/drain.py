"""A worker on an event loop of its own, where the main thread belongs to somebody else."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from threading import Thread
from uuid import UUID

import structlog
import uvloop

from medici.bootstrap import opened, prepare
from medici.jobs.kinds import Argument, JobKind, Queue
from medici.jobs.queue import enqueue
from medici.jobs.worker import Worker
from medici.resources import Resources
from medici.settings import Settings
from medici.startup import relieve_collector
from medici.worker.process import sole_server, worker_of
from medici.worker.relay import Publish, relaying

log = structlog.get_logger("medici.worker")
PUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What lives in the drain's thread."""

    loop: asyncio.AbstractEventLoop
    resources: Resources
    worker: Worker[Resources]
    stop: asyncio.Event


class Drain:
    """Runs a worker in a thread from ``start`` to ``stop``; both wait. Nothing here needs a broker.

    ``publish`` passes on the rings for work that this process itself puts in. ``on_death`` is
    called from the thread if the worker ends without having been asked to.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        queues: Collection[Queue],
        publish: Publish,
        on_death: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._queues = queues
        self._publish = publish
        self._on_death = on_death
        self._inside: Future[Inside] = Future()
        self._thread = Thread(target=self._live, name="drain", daemon=True)

    def start(self) -> None:
        """Begin to work, or raise what prevents it."""
        self._thread.start()
        self._inside.result()

    def ring(self) -> None:
        """Look for work now."""
        self._inside.result().worker.ring()

    def put(self, kind: JobKind, args: Mapping[str, Argument]) -> UUID:
        """Put in a job and return its id.

        Raises:
            DatabaseUnavailable: it could not be stored.
        """
        inside = self._inside.result()
        putting = _put(inside.resources, kind, args)
        return asyncio.run_coroutine_threadsafe(putting, inside.loop).result(PUT_SECONDS)

    def stop(self) -> None:
        """Finish what is under way or hand it back, and close everything."""
        inside = self._inside.result()
        with suppress(RuntimeError):  # it has died before
            inside.loop.call_soon_threadsafe(inside.stop.set)
        self._thread.join()

    def _live(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._work())
        except BaseException as error:  # whatever it is, the main thread has to learn of it
            if self._inside.done():
                log.error("worker.died", exc_info=error)
                self._on_death()
            else:
                self._inside.set_exception(error)

    async def _work(self) -> None:
        async with AsyncExitStack() as stack:
            resources = await stack.enter_async_context(opened(self._settings))
            await prepare(resources)
            await stack.enter_async_context(sole_server(resources))
            await stack.enter_async_context(relaying(resources.database, self._publish))
            inside = Inside(
                loop=asyncio.get_running_loop(),
                resources=resources,
                worker=worker_of(resources, queues=self._queues),
                stop=asyncio.Event(),
            )
            self._inside.set_result(inside)
            relieve_collector()
            log.info("worker.started", queues=sorted(self._queues))
            await inside.worker.run(inside.stop)
        log.info("worker.stopped")


async def _put(resources: Resources, kind: JobKind, args: Mapping[str, Argument]) -> UUID:
    async with resources.database.transaction() as session:
        return await enqueue(session, kind, now=resources.now(), args=args)
