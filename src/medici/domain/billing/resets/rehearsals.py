"""What a reset would do, found out by reading alone."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing import queries
from medici.domain.billing.allowance import Window, owed
from medici.domain.billing.resets import queries as resets_queries
from medici.domain.billing.resets.queries import Standing
from medici.domain.billing.resets.rules import Tally
from medici.kernel.db.driver.lent import driver_of

BATCH = 2000  # users of one reading

Opening: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncSession]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a reset would do; ``complete`` is False where there were more users than allowed."""

    tally: Tally
    complete: bool


async def rehearse(reading: Opening, *, now: datetime, at_most: int | None = None) -> Rehearsal:
    """Count what a reset would do for the first ``at_most`` users, or for all of them."""
    tally, last_owner_id = Tally(), ""
    while at_most is None or tally.users_processed < at_most:
        async with reading() as session:
            owners = await resets_queries.owners_after(session, last_owner_id, limit=BATCH)
            tally += await _rehearsed(session, owners, now=now)
        if len(owners) < BATCH:
            return Rehearsal(tally=tally, complete=True)
        last_owner_id = owners[-1]
    return Rehearsal(tally=tally, complete=False)


async def _rehearsed(session: AsyncSession, owner_ids: Sequence[str], *, now: datetime) -> Tally:
    schedule = await queries.reset_schedule(session)
    window = schedule.window(now)
    driver = await driver_of(session)
    found = await resets_queries.standings(driver, owner_ids, day=window.schedule_date, now=now)
    return expected(found, window)


def expected(found: Mapping[str, Standing], window: Window) -> Tally:
    """Count what users are to be given as they stand."""
    amounts = [missing(standing, window) for standing in found.values()]
    return Tally(
        users_processed=len(found),
        balances_updated=sum(amount > 0 for amount in amounts),
        credits_granted=sum(amounts),
        skipped_disabled=sum(each.disabled for each in found.values()),
        skipped_parked=sum(each.parked and not each.disabled for each in found.values()),
    )


def missing(standing: Standing, window: Window) -> int:
    """Count the credits that a user is to be given."""
    plan, given = standing.plan, standing.given
    due = owed(given, window, plan_id=plan.plan_id, target=plan.daily_credits)
    if due is None or standing.disabled or standing.parked:
        return 0
    return due.target - sum(given.values())
