"""Telling of credits by the clock."""

from datetime import timedelta

from medici.domain.billing.credit_news import telling as credit_news
from medici.domain.billing.credit_news.telling import FORGOTTEN_AT_ONCE
from medici.domain.billing.resets.work import TELL_EXPIRING, TELL_NEWS
from medici.jobs.handlers import handles
from medici.jobs.run import Run
from medici.jobs.schedules import Schedule
from medici.resources import Resources

NEWS_SCHEDULE = Schedule(kind=TELL_NEWS, every=timedelta(minutes=1))
EXPIRING_SCHEDULE = Schedule(kind=TELL_EXPIRING, every=timedelta(hours=1))


@handles(TELL_NEWS)
async def tell_credit_news(run: Run[Resources]) -> None:
    """Tell of credits that were given, ran low or ended since the last look."""
    reading = run.resources.database.reading
    await credit_news.tell_of_the_ledger(reading, run.transaction, now=run.now())


@handles(TELL_EXPIRING)
async def tell_expiring_credits(run: Run[Resources]) -> None:
    """Tell of credits that end within three days, and forget what was told long ago."""
    reading = run.resources.database.reading
    await credit_news.tell_of_endings(reading, run.transaction, now=run.now())
    forgotten = FORGOTTEN_AT_ONCE
    while forgotten == FORGOTTEN_AT_ONCE:
        async with run.transaction() as session:
            forgotten = await credit_news.forget_old_news(session, now=run.now())
