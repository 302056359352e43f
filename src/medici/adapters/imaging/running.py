"""One running child, seen from its parent."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress

from medici.adapters.imaging import frames
from medici.adapters.imaging.errors import (
    REFUSALS,
    ImageOperationFailed,
    ImageProcessDied,
    ImageTooHeavy,
    PictureRefused,
)
from medici.adapters.imaging.frames import BrokenFrame, Frame
from medici.kernel.errors import MediciError

# What a child may know of our environment: how to find its libraries, and no secret.
PASSED_ON = ("PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # the same picture comes out the same
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",  # each arena reserves address space, which is limited
}

FAREWELL_SECONDS = 1.0  # for a child that has closed its line to end by itself


class Child:
    """A process that does one call at a time. It is unfit for another after a call that broke."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._sound = True

    @classmethod
    async def start(cls, command: Sequence[str]) -> "Child":
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=ENVIRONMENT | passed_on
        )
        return cls(process)

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def fit(self) -> bool:
        return self.alive and self._sound

    async def ask(self, request: Frame, on_progress: Callable[[float], None]) -> Frame:
        """Do one call.

        Raises:
            PictureRefused: the child's own refusal.
            ImageProcessDied: the child ended, or did not keep to the protocol.
            ImageOperationFailed: the operation has a fault.
            BrokenFrame: the request is larger than a child would take; nothing was sent.
        """
        operation, pieces = str(request.body["operation"]), frames.encode(request)
        self._sound = False
        try:
            answer = await self._exchange(pieces, on_progress)
        except (asyncio.IncompleteReadError, ConnectionError, BrokenFrame) as error:
            raise await self._death(operation) from error
        self._sound = _leaves_sound(answer)
        if answer.kind != "done":
            raise _failure(operation, answer)
        return answer

    async def end(self) -> None:
        """Kill the process, which has no state to lose, and wait until it is gone."""
        self.kill()
        await self._process.wait()

    def kill(self) -> None:
        if self.alive:
            self._process.kill()

    async def _exchange(
        self, pieces: Sequence[bytes], on_progress: Callable[[float], None]
    ) -> Frame:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise BrokenFrame("the child has no line to its parent")
        for piece in pieces:
            stdin.write(piece)
            await stdin.drain()
        while (answer := await frames.read(stdout)).kind == "progress":
            on_progress(_done(answer))
        return answer

    async def _death(self, operation: str) -> MediciError:
        # Killing a child that has just died would take from us what it died of.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), FAREWELL_SECONDS)
        await self.end()
        code = self._process.returncode
        if sys.platform != "win32" and code == -signal.SIGXCPU:
            return ImageTooHeavy("the picture needs more processor time than it may use")
        return ImageProcessDied(operation, code)


def _leaves_sound(answer: Frame) -> bool:
    # After a shortage of memory, or a fault, a fresh child is worth more than the old one.
    refused_lightly = answer.kind == "refused" and answer.body.get("code") != ImageTooHeavy.code
    return answer.kind == "done" or refused_lightly


def _done(report: Frame) -> float:
    match report.body:
        case {"done": int(done) | float(done)}:
            return float(done)
    raise BrokenFrame("a report of progress lacks its figure")


def _failure(operation: str, answer: Frame) -> MediciError:
    match answer.kind, answer.body:
        case "refused", {"code": str(code), "message": str(message)}:
            return REFUSALS.get(code, PictureRefused)(message)
        case "failed", {"message": str(message), "traceback": str(traceback)}:
            failure = ImageOperationFailed(f"{operation!r} raised {message}")
            failure.add_note(traceback)
            return failure
    return ImageOperationFailed(f"{operation!r} gave an answer that nobody understands")
