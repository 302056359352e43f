"""Somebody who kills one process after another, by chance."""

import asyncio
import time
from collections.abc import Sequence
from random import Random

from tests.faults.processes import MediciProcess
from tests.jobs.waiting import until_true


class Killer:
    """Kills one process after another and starts each again."""

    def __init__(self, processes: Sequence[MediciProcess], draw: Random) -> None:
        self._processes = processes
        self._draw = draw
        self.image_children: set[int] = set()
        self.restarted_at = 0.0  # when every process was up again

    async def strike(self, times: int) -> None:
        """Kill ``times`` times, after 50 to 1,500 ms of work each, always one that is up."""
        for _ in range(times):
            await until_true(self._is_any_up, within=60)
            await asyncio.sleep(self._draw.uniform(0.05, 1.5))
            victim = self._draw.choice([one for one in self._processes if one.is_up])
            self.image_children |= set(victim.image_children())
            await victim.kill()
            await victim.start()
        await asyncio.gather(*(process.up() for process in self._processes))
        self.restarted_at = time.monotonic()

    def _is_any_up(self) -> bool:
        return any(process.is_up for process in self._processes)
