"""Writing down the ends of a worker's runs, many in one transaction, through any outage."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from medici.jobs.active import Active
from medici.jobs.outcomes import Done, Lost
from medici.jobs.patience import Patience
from medici.jobs.settlement import finish_all, settle
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database
from medici.kernel.db.errors import DatabaseUnavailable

log = structlog.get_logger("medici.jobs")
LINGER_SECONDS = 0.01  # how long the first end waits for company when many runs are under way


class Settler:
    """Takes runs that are over; ``settled`` is called for each once it is written down."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        draw: Callable[[], float],
        settled: Callable[[Active], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._draw = draw
        self._settled = settled
        self._over: list[Active] = []
        self._any_over = asyncio.Event()
        self.linger_seconds = 0.0

    def add(self, active: Active) -> None:
        self._over.append(active)
        self._any_over.set()

    async def run(self) -> None:
        """Write ends as they come, until cancelled."""
        while True:
            await self._any_over.wait()
            await asyncio.sleep(self.linger_seconds)
            self._any_over.clear()
            batch, self._over = self._over, []
            await self._persist([one for one in batch if _has_news(one)])
            for one in batch:
                self._settled(one)

    async def _persist(self, batch: Sequence[Active]) -> None:
        patience = Patience(self._draw)
        while batch:
            try:
                await self._write(batch)
            except DatabaseUnavailable:
                await asyncio.sleep(patience.next_seconds())
                continue
            except Exception as error:  # one end that cannot be written holds up no other
                await self._persist_apart(batch, error)
            return

    async def _persist_apart(self, batch: Sequence[Active], error: Exception) -> None:
        if len(batch) > 1:
            for one in batch:
                await self._persist([one])
            return
        # Its lease lapses, and whoever takes it over counts this as a loss.
        log.error("job.end_not_written", job_id=str(batch[0].claim.id), exc_info=error)

    async def _write(self, batch: Sequence[Active]) -> None:
        done = [one.claim for one in batch if isinstance(one.outcome, Done)]
        async with self._database.transaction() as session:
            finished = await finish_all(session, done) if done else set()
            for one in batch:
                if one.claim.id not in finished:
                    await settle(
                        session, one.claim, one.outcome, now=self._clock(), draw=self._draw()
                    )


def _has_news(active: Active) -> bool:
    return not (active.run.finished or isinstance(active.outcome, Lost))
