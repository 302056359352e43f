"""Child processes that do what no honest one would, and calls of them."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from medici.adapters.imaging.host import ImageProcess
from medici.adapters.imaging.limits import OperationLimits

HERE = Path(__file__).parent
HOSTILE = (sys.executable, "-P", str(HERE / "hostile_child.py"))
TIGHT = OperationLimits(memory_bytes=128 * 1024 * 1024, cpu_seconds=1)
PATIENCE_SECONDS = 20


def hostile(
    *, max_processes: int = 1, max_waiting: int = 64, idle_seconds: float = 60
) -> ImageProcess:
    return ImageProcess(
        command=HOSTILE,
        max_processes=max_processes,
        max_waiting=max_waiting,
        idle_seconds=idle_seconds,
        limits={"hog": TIGHT, "spin": TIGHT, "intake": TIGHT},
    )


async def echo(process: ImageProcess) -> None:
    blobs, _ = await process.call("echo", b"pixels", {}, timeout_seconds=PATIENCE_SECONDS)
    assert blobs == [b"pixels"]


async def patient_echo(process: ImageProcess) -> list[bytes]:
    blobs, _ = await process.call(
        "echo", b"pixels", {}, timeout_seconds=PATIENCE_SECONDS, patient=True
    )
    return list(blobs)


async def hanging(process: ImageProcess) -> asyncio.Task[object]:
    """Start a call that never ends, and return when it is under way."""
    under_way = asyncio.Event()

    async def hang() -> object:
        return await process.call(
            "hang",
            b"",
            {},
            timeout_seconds=PATIENCE_SECONDS,
            on_progress=lambda _: under_way.set(),
        )

    task = asyncio.create_task(hang())
    await asyncio.wait_for(under_way.wait(), PATIENCE_SECONDS)
    return task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the end of a process rings no bell here
            await asyncio.sleep(0.01)
