"""A process that starts a child, says so, and waits to be killed. Argument: idle or busy."""

import asyncio
import sys
from pathlib import Path

from medici.adapters.imaging.host import ImageProcess

CHILD = (sys.executable, "-P", str(Path(__file__).with_name("hostile_child.py")))


def announce(_done: float = 0) -> None:
    print("ready", flush=True)  # noqa: T201 - how the test is told


async def main(state: str) -> None:
    process = ImageProcess(command=CHILD)
    if state == "busy":
        await process.call("hang", b"", {}, timeout_seconds=60, on_progress=announce)
    await process.call("echo", b"", {}, timeout_seconds=60)
    announce()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
