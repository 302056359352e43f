"""Giving many dead jobs another life, as after a fault that was mended."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs import queries
from medici.jobs.errors import JobNotDead, JobNotFound, JobSucceeded
from medici.jobs.queue import revive
from medici.kernel.db.database import Database

BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Revived:
    """How many jobs live again, and how many were left because a younger one does their work."""

    revived: int = 0
    left: int = 0


async def revive_all(database: Database, *, kind: str | None = None, batch: int = BATCH) -> Revived:
    """Revive every dead job, or those of one kind, some in each transaction.

    What dies meanwhile is not looked at again, so this ends.
    """
    total, after = Revived(), None
    while True:
        async with database.transaction() as session:
            job_ids = await queries.dead_ids(session, kind=kind, after=after, limit=batch)
            lives = [await _lives_again(session, job_id) for job_id in job_ids]
        total = Revived(
            revived=total.revived + lives.count(True), left=total.left + lives.count(False)
        )
        if len(job_ids) < batch:
            return total
        after = job_ids[-1]


async def _lives_again(session: AsyncSession, job_id: UUID) -> bool | None:
    """Return None for a job that somebody else has revived or deleted since."""
    try:
        await revive(session, job_id)
    except JobSucceeded:
        return False
    except (JobNotDead, JobNotFound):
        return None
    return True
