"""Clearing away stored answers that nobody can ask for any more."""

from datetime import timedelta

from medici.doors.http import idempotency_store
from medici.jobs.handlers import handles
from medici.jobs.kinds import JobKind
from medici.jobs.run import Run
from medici.jobs.schedules import Schedule
from medici.resources import Resources

SWEEP = JobKind(name="http.sweep_idempotency_keys", attempts=3)
SWEEPING = Schedule(kind=SWEEP, every=timedelta(hours=1))


@handles(SWEEP)
async def sweep_idempotency_keys(run: Run[Resources]) -> None:
    """Delete expired answers in short transactions."""
    deleted = idempotency_store.SWEEP_BATCH
    while deleted == idempotency_store.SWEEP_BATCH:
        async with run.transaction() as session:
            deleted = await idempotency_store.sweep(session, now=run.now())
