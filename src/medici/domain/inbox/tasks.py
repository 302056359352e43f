"""What the inbox does by the clock: follow the newest key."""

from datetime import timedelta
from uuid import UUID

import structlog

from medici.domain.inbox import resealing
from medici.domain.inbox.work import RESEAL
from medici.jobs.handlers import handles
from medici.jobs.run import Run
from medici.jobs.schedules import Schedule
from medici.resources import Resources

RESEALING = Schedule(kind=RESEAL, every=timedelta(hours=1))
log = structlog.get_logger("medici.inbox")


@handles(RESEAL)
async def reseal(run: Run[Resources]) -> None:
    """Seal under the newest key what is under another, some messages at a time.

    A ring of one key opens nothing but what that key sealed, so then there is nothing to look for.
    """
    keys, resealed, after = run.resources.keys, 0, None
    while len(keys.keys) > 1 and (found := await _found(run, after=after)):
        async with run.transaction() as session:
            resealed += await resealing.reseal(session, found, keys)
        after = found[-1]
    if resealed:
        log.info("inbox.resealed", messages=resealed, key_id=keys.current.id)


async def _found(run: Run[Resources], *, after: UUID | None) -> list[UUID]:
    async with run.resources.database.reading() as session:
        found = await resealing.under_other_keys(session, run.resources.keys, after=after)
    return list(found)
