"""What this process keeps of the experiments that run."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, cast

from fastapi import Depends, Request

from medici.domain.assignments.changes import CHANGES
from medici.domain.assignments.definition import Definition
from medici.domain.assignments.queries import running_definitions
from medici.domain.assignments.variables import HOLDOUT_PERCENT
from medici.domain.plans.queries import variables_now
from medici.doors.http.context import resources_of
from medici.kernel.db.driver.transaction import Driver
from medici.resources import Resources

SETUPS = "experiment_setups"
KEPT_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setups:
    """The running experiments, the oldest first, and the share of users that none touches."""

    running: Mapping[str, Definition]
    holdout_percent: float


@dataclass(frozen=True, slots=True)
class _Copy:
    setups: Setups
    changes: int  # how many there had been before it was read
    read_at: datetime


class SetupsKept:
    """Reads set-ups at most every five seconds, and as soon as this process has changed one."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._reading = asyncio.Lock()
        self._copy: _Copy | None = None

    async def current(self) -> Setups:
        """Return them; those who come while they are read wait for one and the same reading."""
        if found := self._good():
            return found
        async with self._reading:
            return self._good() or await self._read()

    def forget(self) -> None:
        self._copy = None

    def _good(self) -> Setups | None:
        copy = self._copy
        if copy is None or copy.changes != CHANGES.count:
            return None
        age = self._resources.now() - copy.read_at
        return copy.setups if timedelta() <= age < KEPT_FOR else None

    async def _read(self) -> Setups:
        changes, now = CHANGES.count, self._resources.now()
        setups = await self._resources.database.look(read_setups)
        self._copy = _Copy(setups, changes, now)
        return setups


async def read_setups(driver: Driver) -> Setups:
    """Read set-ups as they are stored now."""
    running = await running_definitions(driver)
    variables = await variables_now(driver)
    return Setups(
        running={definition.experiment_id: definition for definition in running},
        holdout_percent=variables[HOLDOUT_PERCENT],
    )


def setups_kept(request: Request) -> SetupsKept:
    """Return what this process keeps."""
    state = request.app.state
    if not hasattr(state, SETUPS):
        setattr(state, SETUPS, SetupsKept(resources_of(request)))
    return cast("SetupsKept", getattr(state, SETUPS))


async def _current(request: Request) -> Setups:
    return await setups_kept(request).current()


# In a route's signature it comes before the session: what waits for it holds no connection.
CurrentSetups = Annotated[Setups, Depends(_current)]
