"""The queue's own work: clearing away what ended long ago."""

from datetime import timedelta

from medici.jobs.handlers import handles
from medici.jobs.kinds import JobKind
from medici.jobs.presence import forget_gone
from medici.jobs.run import Run
from medici.jobs.schedules import Schedule
from medici.jobs.sweep import BATCH, RETENTION, sweep

SWEEP = JobKind(name="medici.jobs.sweep", attempts=3)
SWEEPING = Schedule(kind=SWEEP, every=timedelta(minutes=10))


@handles(SWEEP)
async def sweep_jobs(run: Run[object]) -> None:
    """Delete old jobs in short transactions, so that nobody waits long for their locks."""
    deleted = BATCH
    while deleted == BATCH:
        async with run.transaction() as session:
            deleted = await sweep(session, limit=BATCH)
    async with run.transaction() as session:
        await forget_gone(session, after=RETENTION)
