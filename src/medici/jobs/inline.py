"""Doing all work that is due here and now, one job after another: for tests and the shell."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from medici.jobs.claims import Claim, Claimant, claim_asked_by
from medici.jobs.handlers import Registry
from medici.jobs.leases import recover_lost
from medici.jobs.outcomes import Outcome
from medici.jobs.performing import perform
from medici.jobs.run import Run
from medici.jobs.settlement import settle
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id

R = TypeVar("R")
LEASE_SECONDS = 3600.0  # nobody renews it, so it outlasts any run
RUNS_AT_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run and how it ended."""

    job_id: UUID
    kind: str
    outcome: Outcome


class NeverQuiet(RuntimeError):
    """Jobs keep asking for another run at a moment that has come already."""


async def run_due(database: Database, registry: Registry, resources: R, now: datetime) -> list[Ran]:
    """Run every job that was asked for by ``now``, and those it leads to, until none is left.

    Waits are as long as they can get, so a failed job is due again only at a later ``now``.
    """
    ran: list[Ran] = []
    claimant = Claimant(worker=new_id(), lease_seconds=LEASE_SECONDS)
    while claim := await _next(database, claimant, now):
        if len(ran) == RUNS_AT_MOST:
            raise NeverQuiet(claim.kind)
        outcome = await run_claim(
            database, registry, resources, claim, clock=lambda: now, draw=_widest
        )
        ran.append(Ran(job_id=claim.id, kind=claim.kind, outcome=outcome))
    return ran


async def run_claim(
    database: Database,
    registry: Registry,
    resources: R,
    claim: Claim,
    *,
    clock: Clock,
    draw: Callable[[], float],
) -> Outcome:
    """Run one claimed job and write down how it ended."""
    run = Run(resources=resources, database=database, claim=claim, clock=clock)
    outcome = await perform(registry, run, claim)
    if not run.finished:
        async with database.transaction() as session:
            await settle(session, claim, outcome, now=clock(), draw=draw())
    return outcome


async def _next(database: Database, claimant: Claimant, now: datetime) -> Claim | None:
    async with database.transaction() as session:
        await recover_lost(session)
        return await claim_asked_by(session, claimant, now=now)


def _widest() -> float:
    return 1.0
