"""Clearing away tokens that have long been good for nothing."""

from datetime import timedelta

from medici.domain.identity import service
from medici.domain.identity.work import SWEEP
from medici.jobs.handlers import handles
from medici.jobs.run import Run
from medici.jobs.schedules import Daily, Schedule
from medici.resources import Resources

SWEEPING = Schedule(kind=SWEEP, every=Daily(hour=3, minute=10))


@handles(SWEEP)
async def sweep_tokens(run: Run[Resources]) -> None:
    """Delete tokens that expired more than a week ago, in short transactions."""
    deleted = service.SWEEP_BATCH
    while deleted == service.SWEEP_BATCH:
        async with run.transaction() as session:
            deleted = await service.forget_tokens(
                session, expired_before=run.now() - timedelta(days=7)
            )
