"""Runs operations on pictures in child processes, so that this one stays small and quick."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from medici.adapters.imaging.errors import (
    ImageCallTimedOut,
    ImageProcessUnavailable,
    ImageQueueFull,
)
from medici.adapters.imaging.frames import Frame, JsonObject
from medici.adapters.imaging.limits import DEFAULT_LIMITS, GENEROUS, OperationLimits
from medici.adapters.imaging.running import Child

# -P: the working directory is no place to import from.
COMMAND = (sys.executable, "-P", "-m", "medici.adapters.imaging.child")


class ImageProcess:
    """A few child processes, started when they are needed and ended when they idle.

    One call at a time per child; more callers wait their turn, first come, first served. Belongs to
    one event loop. ``idle_seconds`` is how long a child without work is kept.
    """

    def __init__(
        self,
        *,
        max_processes: int = 1,
        max_waiting: int = 64,
        idle_seconds: float = 60.0,
        limits: Mapping[str, OperationLimits] = DEFAULT_LIMITS,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._free = asyncio.Semaphore(max_processes)
        self._max_waiting = max_waiting
        self._idle_seconds = idle_seconds
        self._limits = limits
        self._command = command
        self._waiting = 0
        self._children: set[Child] = set()
        self._idle: dict[Child, asyncio.TimerHandle] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def process_ids(self) -> list[int]:
        """The children that are alive, working or idle."""
        return [child.process_id for child in self._children if child.alive]

    async def call(
        self,
        operation: str,
        payload: bytes | Sequence[bytes],
        options: JsonObject,
        *,
        timeout_seconds: float,
        patient: bool = False,
        on_progress: Callable[[float], None] | None = None,
    ) -> tuple[Sequence[bytes], JsonObject]:
        """Do one operation and return its bytes and what it says about them.

        ``timeout_seconds`` counts from when a child is free, for which ``patient`` calls wait
        however many wait before them. A call that is cancelled or late takes its child with it.

        Raises:
            PictureRefused: one of its kinds; the same picture will be refused again.
            ImageProcessUnavailable: one of its kinds; trying again may help.
            ImageOperationFailed: a fault in the operation.
        """
        request = self._request(operation, payload, options)
        async with self._turn(patient=patient), self._child() as child:
            try:
                async with asyncio.timeout(timeout_seconds):
                    answer = await child.ask(request, on_progress or _ignore)
            except TimeoutError as error:
                raise ImageCallTimedOut(operation, timeout_seconds) from error
        return answer.blobs, answer.body

    async def close(self) -> None:
        """End every child; a call still running fails with ``ImageProcessDied``."""
        self._closed = True
        for timer in self._idle.values():
            timer.cancel()
        self._idle.clear()
        await asyncio.gather(*(self._end(child) for child in list(self._children)))

    def _request(
        self, operation: str, payload: bytes | Sequence[bytes], options: JsonObject
    ) -> Frame:
        limits = self._limits.get(operation, GENEROUS)
        return Frame(
            kind="call",
            body={
                "operation": operation,
                "options": options,
                "memory_bytes": limits.memory_bytes,
                "cpu_seconds": limits.cpu_seconds,
            },
            blobs=[payload] if isinstance(payload, bytes) else payload,
        )

    @asynccontextmanager
    async def _turn(self, *, patient: bool) -> AsyncIterator[None]:
        if not patient and self._free.locked() and self._waiting >= self._max_waiting:
            raise ImageQueueFull(f"{self._waiting} calls wait already")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()

    @asynccontextmanager
    async def _child(self) -> AsyncIterator[Child]:
        if self._closed:
            raise ImageProcessUnavailable("the image process is closed")
        child = self._wake() or await self._start()
        try:
            yield child
        finally:
            if child.fit and not self._closed:
                self._rest(child)
            else:
                await self._end(child)

    async def _start(self) -> Child:
        try:
            child = await Child.start(self._command)
        except OSError as error:
            raise ImageProcessUnavailable("no image process can be started") from error
        self._children.add(child)
        return child

    def _wake(self) -> Child | None:
        """Take the child that worked last, so that the others reach their rest."""
        while self._idle:
            child, timer = self._idle.popitem()
            timer.cancel()
            if child.fit:
                return child
            self._children.discard(child)
        return None

    def _rest(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        self._idle[child] = loop.call_later(self._idle_seconds, self._retire, child)

    def _retire(self, child: Child) -> None:
        del self._idle[child]
        ending = asyncio.ensure_future(self._end(child))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _end(self, child: Child) -> None:
        await child.end()
        self._children.discard(child)


def _ignore(_done: float) -> None:
    """Take a report of progress that nobody asked for."""
