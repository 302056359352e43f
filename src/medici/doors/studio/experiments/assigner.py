"""Telling apps their variants: the questions that come together share one look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.attributes import Attributes
from medici.domain.assignments.errors import SetupChanged
from medici.domain.assignments.service.assigning import (
    Ask,
    Decided,
    Told,
    decide_many,
    decide_served,
    keep,
)
from medici.doors.http.context import resources_of
from medici.doors.studio.experiments.asking import Wish, asks_of, asks_of_all
from medici.doors.studio.experiments.setups import Setups, SetupsKept, read_setups, setups_kept
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.db.group import Batcher
from medici.kernel.errors import MediciError
from medici.resources import Resources

ASSIGNER = "experiment_assigner"
LOOKS = 8  # that share a connection; each has as many rows as there are experiments


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A user's wish to know all variants that are theirs, at most ``limit``."""

    user_id: str
    attributes: Attributes
    setups: Setups
    limit: int
    now: datetime

    async def told_on(self, driver: Driver) -> Sequence[Told]:
        """Answer it in a transaction that is there already."""
        return await self.keep(driver, await self.decided(driver))

    async def decided(self, driver: Driver) -> Sequence[Decided]:
        """Decide what the user gets."""
        asks = await asks_of_all(driver, self.user_id, self.attributes, self.setups, now=self.now)
        return await decide_served(
            driver, asks, limit=self.limit, holdout_percent=self.setups.holdout_percent
        )

    async def keep(self, driver: Driver, decided: Sequence[Decided]) -> Sequence[Told]:
        """Keep and tell it; an experiment that is being changed this very moment is not told."""
        outcomes = await keep(
            driver, decided, holdout_percent=self.setups.holdout_percent, now=self.now
        )
        return [each for each in outcomes if isinstance(each, Told)]


class Assigner:
    """Answers by reading alone where nothing new is to be kept, which is the usual case."""

    def __init__(self, resources: Resources, kept: SetupsKept) -> None:
        self._resources = resources
        self._kept = kept
        self._batcher: Batcher[Wish, Told] = Batcher(self._together)
        self._looks: Batcher[Look, Sequence[Decided]] = Batcher(self._looked, most=LOOKS)

    async def assign(self, wish: Wish, keyed: AsyncSession | None) -> Told:
        """Tell one variant, beside others unless the request has a transaction of its own.

        Raises:
            ExperimentNotFound: there is no such experiment.
            ExperimentInactive: it does not run.
        """
        if keyed is not None:
            return await self._assign_on(await driver_of(keyed), wish)
        try:
            return await self._batcher.submit(wish)
        except SetupChanged:  # while our copy was about to grow too old
            self._kept.forget()
            return await self._batcher.submit(wish)

    async def look(self, look: Look) -> Sequence[Told]:
        """Tell all variants of a user."""
        decided = await self._looks.submit(look)
        if all(each.is_settled for each in decided):
            return [each.told(look.now) for each in decided]
        return await self._resources.database.carry_out(lambda driver: look.keep(driver, decided))

    async def _assign_on(self, driver: Driver, wish: Wish) -> Told:
        now = self._resources.now()
        setups = await read_setups(driver)
        (decided,) = await _decided(driver, [wish], setups, now)
        if isinstance(decided, MediciError):
            raise decided
        (told,) = await keep(driver, [decided], holdout_percent=setups.holdout_percent, now=now)
        if isinstance(told, MediciError):
            raise told
        return told

    async def _together(self, wishes: Sequence[Wish]) -> Sequence[Told | MediciError]:
        now = self._resources.now()
        setups = await self._kept.current()
        looked = await self._resources.database.look(
            lambda driver: _decided(driver, wishes, setups, now)
        )
        settled = [
            each.told(now) if isinstance(each, Decided) and each.is_settled else each
            for each in looked
        ]
        new = [each for each in settled if isinstance(each, Decided)]
        kept = iter(await self._keep(new, setups, now) if new else ())
        return [next(kept) if isinstance(each, Decided) else each for each in settled]

    async def _looked(self, looks: Sequence[Look]) -> Sequence[Sequence[Decided]]:
        async def each(driver: Driver) -> Sequence[Sequence[Decided]]:
            return [await look.decided(driver) for look in looks]

        return await self._resources.database.look(each)

    async def _keep(
        self, new: Sequence[Decided], setups: Setups, now: datetime
    ) -> Sequence[Told | MediciError]:
        return await self._resources.database.carry_out(
            lambda driver: keep(driver, new, holdout_percent=setups.holdout_percent, now=now)
        )


async def _decided(
    driver: Driver, wishes: Sequence[Wish], setups: Setups, now: datetime
) -> Sequence[Decided | MediciError]:
    """Decide what can be decided; the rest has no experiment, or one that does not run."""
    outcomes = await asks_of(driver, wishes, setups, now=now)
    asks = [each for each in outcomes if isinstance(each, Ask)]
    decided = iter(await decide_many(driver, asks, holdout_percent=setups.holdout_percent))
    return [next(decided) if isinstance(each, Ask) else each for each in outcomes]


def assigner_of(request: Request) -> Assigner:
    """Return the assigner of this process."""
    state = request.app.state
    if not hasattr(state, ASSIGNER):
        assigner = Assigner(resources_of(request), setups_kept(request))
        setattr(state, ASSIGNER, assigner)
    return cast("Assigner", getattr(state, ASSIGNER))
