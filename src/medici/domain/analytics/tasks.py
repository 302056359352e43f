"""Keeping the rollup up to date."""

from datetime import timedelta

from medici.domain.analytics.service import rollup
from medici.domain.analytics.work import ROLLUP
from medici.jobs.handlers import handles
from medici.jobs.run import Run
from medici.jobs.schedules import Schedule
from medici.resources import Resources

ROLLING = Schedule(kind=ROLLUP, every=timedelta(minutes=5))


@handles(ROLLUP)
async def roll_up(run: Run[Resources]) -> None:
    """Look at all new facts, then roll up each hour that they belong to and that is over."""
    now = run.now()
    async with run.resources.database.reading() as session:
        after = await rollup.begin(session)
    more = True
    while more:
        async with run.transaction() as session:
            last = await rollup.look_further(session, after=after, now=now)
        more, after = last is not None, last
    more = True
    while more:
        async with run.transaction() as session:
            more = await rollup.roll_next(session, now=now)
    async with run.transaction() as session:
        await rollup.finish(session, now=now)
