"""What is learnt from renders by the clock: how providers do, and whether a canary does worse."""

from datetime import timedelta

import structlog

from medici.domain.rendering.routing_work import JUDGE_CANARY, MEASURE
from medici.domain.rendering.service.observing import measured_work, observed_canary
from medici.domain.routing.measurements import note_measurements
from medici.domain.routing.trying import note_health
from medici.jobs.handlers import handles
from medici.jobs.run import Run
from medici.jobs.schedules import Schedule
from medici.resources import Resources

MEASURING = Schedule(kind=MEASURE, every=timedelta(minutes=1))
JUDGING = Schedule(kind=JUDGE_CANARY, every=timedelta(minutes=1))
log = structlog.get_logger("medici.routing")


@handles(MEASURE)
async def measure(run: Run[Resources]) -> None:
    """Measure what providers cost and how long they take."""
    async with run.resources.database.reading() as session:
        measured = await measured_work(session, now=run.now())
    async with run.transaction() as session:
        await note_measurements(session, measured, now=run.now())


@handles(JUDGE_CANARY)
async def judge(run: Run[Resources]) -> None:
    """Take the version that is being tried back, should it do worse than the one in force."""
    async with run.resources.database.reading() as session:
        seen = await observed_canary(session)
    if seen is None:
        return
    async with run.transaction() as session:
        breaches = await note_health(
            session, seen.version, canary=seen.canary, baseline=seen.baseline, now=run.now()
        )
    if breaches:
        log.warning("canary.rolled_back", limits=[breach.limit for breach in breaches])
