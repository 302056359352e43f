"""Keeping leases alive, and taking jobs back from workers that let theirs lapse."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, Float, bindparam, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.claims import STANDING, Claim, standing_of
from medici.jobs.database_clock import clock_after, clock_now
from medici.jobs.models import IS_RUNNING, Job
from medici.jobs.rules import after_loss
from medici.jobs.settlement import write_next

RECOVERED_AT_ONCE = 200

_IS_HELD = tuple_(Job.id, Job.fence).in_(bindparam("held", expanding=True))
# A row that is locked is in the hands of its own run, which proves its lease by that alone.
_UNLOCKED = (
    select(Job.id).where(IS_RUNNING, _IS_HELD).with_for_update(skip_locked=True).cte("unlocked")
)
EXTEND = (
    update(Job)
    .where(Job.id.in_(select(_UNLOCKED.c.id)))
    .values(lease_until=clock_after(bindparam("lease_seconds", type_=Float)))
    .execution_options(synchronize_session=False)
)
STILL_HELD = select(Job.id, Job.fence).where(IS_RUNNING, _IS_HELD)


async def extend(
    session: AsyncSession, claims: Collection[Claim], *, lease_seconds: float
) -> set[tuple[UUID, int]]:
    """Renew the leases of these claims in one statement; return the (id, fence) still held."""
    pairs = [(claim.id, claim.fence) for claim in claims]
    await session.execute(EXTEND, {"held": pairs, "lease_seconds": lease_seconds})
    rows = await session.execute(STILL_HELD, {"held": pairs})
    return {(row.id, row.fence) for row in rows}


async def recover_lost(session: AsyncSession) -> int:
    """Make jobs ready whose lease is over, and give up those that cost too many workers."""
    return await _recover(session, Job.lease_until <= clock_now(), limit=RECOVERED_AT_ONCE)


async def free_leases(session: AsyncSession) -> int:
    """Take every running job back at once; for a process that knows to be the only one."""
    return await _recover(session, true(), limit=None)


async def _recover(session: AsyncSession, lapsed: ColumnElement[bool], *, limit: int | None) -> int:
    lost = (
        select(Job.id, *STANDING)
        .where(IS_RUNNING, lapsed)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await session.execute(lost)).all()
    for row in rows:
        await write_next(session, row.id, after_loss(standing_of(row)))
    return len(rows)
