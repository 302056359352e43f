"""Processes of Medici that can be killed, stopped and started again."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

READY_SECONDS = 60.0
IMAGE_CHILD = b"medici.adapters.imaging.child"
# Whatever the machine running the tests has set for itself stays out of the processes.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


class MediciProcess:
    """One process of Medici. ``ready_line`` is in the line by which it says that it is up.

    It speaks into a pipe rather than a file, so that a full disk does not silence it.
    """

    def __init__(
        self, arguments: Sequence[str], *, ready_line: bytes, settings: Mapping[str, str]
    ) -> None:
        self._arguments = (sys.executable, *arguments)
        self._ready_line = ready_line
        self._settings = settings
        self._process: Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self.said = bytearray()

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def is_up(self) -> bool:
        """Tell whether it has said that it is ready, and nobody has killed it since."""
        return self._up.is_set()

    @property
    def has_ended(self) -> bool:
        """Tell whether it is gone, by itself or not."""
        return self._running.returncode is not None

    async def start(self) -> None:
        """Start it and return at once; it is up some seconds later."""
        self._up.clear()
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self._process = await asyncio.create_subprocess_exec(
            *self._arguments,
            cwd=self._settings["MEDICI_DATA_DIR"],
            env=kept | dict(self._settings),
            stdout=PIPE,
            stderr=STDOUT,
            limit=1 << 20,
        )
        self._listening = asyncio.create_task(self._listen(self._process))

    async def up(self) -> None:
        """Wait until it is ready."""
        async with asyncio.timeout(READY_SECONDS):
            ready = asyncio.create_task(self._up.wait())
            ended = asyncio.create_task(self._running.wait())
            await asyncio.wait([ready, ended], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        ended.cancel()
        assert self.is_up, f"it did not start:\n{self.said.decode()[-4000:]}"

    async def kill(self) -> None:
        """End it as a power cut would, and return once it is gone."""
        self._up.clear()
        if self._running.returncode is None:
            self._running.kill()
        await self._gone()

    async def terminate(self) -> int:
        """Ask it to stop, and return its exit code once it has."""
        self._up.clear()
        self._running.send_signal(signal.SIGTERM)
        return await self._gone()

    def image_children(self) -> list[int]:
        """Return the processes that work on pictures for it."""
        pid = self.pid
        return [child for child in children_of(pid) if is_image_child(child)]

    @property
    def _running(self) -> Process:
        assert self._process is not None, "it was never started"
        return self._process

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.said += line
            if self._ready_line in line:
                self._up.set()

    async def _gone(self) -> int:
        code = await self._running.wait()
        if self._listening is not None:
            await self._listening
        return code


def children_of(pid: int) -> list[int]:
    """Return the children of a process; none where it has gone."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, file.read_text().split())
        except (FileNotFoundError, ProcessLookupError):  # the thread has just ended
            continue
    return found


def is_image_child(pid: int) -> bool:
    """Tell whether a living process is one that works on pictures."""
    try:
        return IMAGE_CHILD in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
