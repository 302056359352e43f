"""Calling one job by the name of its kind and waiting for its end, as an operator does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from medici.jobs.claims import Claim, Claimant, claim_one_due
from medici.jobs.handlers import Registry
from medici.jobs.inline import run_claim
from medici.jobs.kinds import Argument
from medici.jobs.leases import extend
from medici.jobs.models import Job, State
from medici.jobs.queue import enqueue
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id

R = TypeVar("R")
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """How a called job ended. The error is that of its last failed run, if there was one."""

    job_id: UUID
    state: State
    error_code: str | None
    error: str | None


async def call(
    database: Database,
    registry: Registry,
    resources: R,
    kind_name: str,
    args: Mapping[str, Argument],
    *,
    clock: Clock,
    draw: Callable[[], float],
    lease_seconds: float = 15.0,
) -> Called:
    """Enqueue one job and run it here to its end, with its waits; workers may help.

    Raises:
        UnknownJobKind: nothing here serves that kind.
    """
    kind = registry.handler(kind_name).kind
    async with database.transaction() as session:
        job_id = await enqueue(session, kind, now=clock(), args=args)
    claimant = Claimant(worker=new_id(), lease_seconds=lease_seconds)
    while (called := await _ended(database, job_id)) is None:
        async with database.transaction() as session:
            claim = await claim_one_due(session, claimant, job_id)
        if claim is None:
            await asyncio.sleep(POLL_SECONDS)
            continue
        async with _kept(database, claim, lease_seconds):
            await run_claim(database, registry, resources, claim, clock=clock, draw=draw)
    return called


async def _ended(database: Database, job_id: UUID) -> Called | None:
    async with database.reading() as session:
        job = await session.get_one(Job, job_id)
    if job.state in {State.READY, State.RUNNING}:
        return None
    return Called(
        job_id=job_id, state=job.state, error_code=job.last_error_code, error=job.last_error
    )


@asynccontextmanager
async def _kept(database: Database, claim: Claim, lease_seconds: float) -> AsyncIterator[None]:
    """Renew a claim's lease until the block ends."""
    renewing = asyncio.create_task(_renew(database, claim, lease_seconds))
    try:
        yield
    finally:
        renewing.cancel()


async def _renew(database: Database, claim: Claim, lease_seconds: float) -> None:
    while True:
        await asyncio.sleep(lease_seconds / 3)
        async with database.transaction() as session:
            await extend(session, [claim], lease_seconds=lease_seconds)
