"""Letting go of uploads that no render used."""

from datetime import timedelta

from medici.domain.pictures import queries
from medici.domain.pictures.service import forget_expired
from medici.domain.pictures.work import DISCARD, SWEEP
from medici.jobs.handlers import handles
from medici.jobs.run import Run
from medici.jobs.schedules import Schedule
from medici.resources import Resources

BATCH = 200
SWEEPING = Schedule(kind=SWEEP, every=timedelta(minutes=30))


@handles(SWEEP)
async def sweep_uploads(run: Run[Resources]) -> None:
    """Drop the rows of expired uploads; their bytes follow."""
    found = BATCH
    while found == BATCH:
        async with run.transaction() as session:
            expired = await queries.expired_pictures(session, now=run.now(), limit=BATCH)
            await forget_expired(session, [picture.id for picture in expired], now=run.now())
        found = len(expired)


@handles(DISCARD)
async def discard(run: Run[Resources], *, keys: list[str]) -> None:
    """Delete bytes from storage; what is gone already is no failure."""
    for key in keys:
        await run.resources.storage.delete(key)
