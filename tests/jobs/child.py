"""A worker in a process of its own, to be killed and frozen: ``python -m tests.jobs.child URL``.

It prints a line for each run that begins and ends.
"""

import asyncio
import random
import sys
from dataclasses import replace

from medici.jobs.worker import Worker
from medici.kernel.clock import system_clock
from medici.kernel.db.database import Database
from tests.jobs.acts import QUICK
from tests.jobs.work import REGISTRY, Bench


class Printer:
    def started(self, kind: str) -> None:
        print(f"started {kind}", flush=True)  # noqa: T201 - its parent listens

    def finished(self, kind: str, outcome: str, seconds: float) -> None:
        print(f"{outcome} {kind}", flush=True)  # noqa: T201


async def main(url: str, lease_seconds: float) -> None:
    database = Database.open(url)
    worker = Worker(
        database=database,
        registry=REGISTRY,
        resources=Bench(),
        clock=system_clock,
        draw=random.random,
        options=replace(QUICK, lease_seconds=lease_seconds),
        observer=Printer(),
    )
    await worker.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
