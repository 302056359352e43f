"""One run of a job, as its handler sees it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.claims import Claim
from medici.jobs.errors import LeaseLost
from medici.jobs.outcomes import Again
from medici.jobs.settlement import finish_one, held
from medici.jobs.sharing import NotSimple, Sharing, Step
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.following import after_commit
from medici.kernel.errors import MediciError

__all__ = ["Again", "Run"]

R = TypeVar("R")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Run(Generic[R]):
    """A handler's hold on its job. What it writes, it writes through ``transaction``."""

    def __init__(
        self,
        *,
        resources: R,
        database: Database,
        claim: Claim,
        clock: Clock,
        sharing: Sharing | None = None,
    ) -> None:
        self.resources = resources
        self.now = clock
        self.finishing = False  # ``finish`` was called, its transaction may not have ended yet
        self.finished = False
        self._database = database
        self._claim = claim
        self._sharing = sharing

    @property
    def id(self) -> UUID:
        return self._claim.id

    @property
    def attempt(self) -> int:
        """Which run this is since the last that ended well, from 1."""
        return self._claim.standing.attempts

    @property
    def last_attempt(self) -> bool:
        """Tell whether the job is given up if this run fails."""
        return self._claim.standing.exhausted

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a write transaction that only the holder of the lease can have.

        The job's row stays locked until it ends, so nobody takes the job over in the meantime.

        Raises:
            LeaseLost: the job belongs to another run, or has ended.
        """
        async with self._database.transaction() as session:
            if await held(session, self._claim) is None:
                raise LeaseLost(self.id)
            yield session

    async def take(self, step: Step[Item, Answer], item: Item, *, finish: bool = False) -> Answer:
        """Take a step in a write transaction that runs beside this one may share.

        ``finish`` marks the job done in the same transaction.

        Raises:
            LeaseLost: as ``transaction`` does.
            MediciError: the step's answer to this item.
        """
        if self._sharing is None:
            return await self._take_alone(step, item, finish=finish)
        self.finishing = finish
        try:
            answer = await self._sharing.take(step, self._claim, item, finish=finish)
        except NotSimple:
            self.finishing = False
            return await self._take_alone(step, item, finish=finish)
        except BaseException:
            self.finishing = False
            raise
        self.finished = finish
        return answer

    async def look(self, step: Step[Item, Answer], item: Item) -> Answer:
        """Take a step that only reads, beside other runs."""
        if self._sharing is not None:
            return await self._sharing.look(step, item)
        (answer,) = await self._database.look(lambda driver: step(driver, [item]))
        if isinstance(answer, MediciError):
            raise answer
        return answer

    async def _take_alone(self, step: Step[Item, Answer], item: Item, *, finish: bool) -> Answer:
        async with self.transaction() as session:
            (answer,) = await step(await driver_of(session), [item])
            if isinstance(answer, MediciError):
                raise answer
            if finish:
                await self.finish(session)
            return answer

    async def finish(self, session: AsyncSession) -> None:
        """Mark the job done in the transaction that completes its work, or neither happens."""
        if not await finish_one(session, self._claim):
            raise LeaseLost(self.id)
        self.finishing = True
        after_commit(session, self._mark_finished)

    def _mark_finished(self) -> None:
        self.finished = True
