"""Taking jobs that are due, each for one run under a lease."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Row,
    and_,
    bindparam,
    not_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.database_clock import clock_after, clock_now
from medici.jobs.kinds import Queue
from medici.jobs.models import IS_READY, Job, State
from medici.jobs.rules import LOSSES_ALLOWED, Standing

STANDING = (Job.attempts, Job.max_attempts, Job.losses, Job.burial, Job.rung)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job that was taken for one run. ``fence`` is what proves it."""

    id: UUID
    kind: str
    args: dict[str, object]
    fence: int
    standing: Standing


def _claiming(*conditions: ColumnElement[bool]) -> Any:
    """Build the statement that takes the oldest ready jobs which meet the conditions."""
    picked = (
        select(Job.id)
        .where(IS_READY, *conditions)
        .order_by(Job.due_at)
        .limit(bindparam("room", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    return (
        update(Job)
        .where(Job.id.in_(select(picked.c.id)))
        .values(
            state=State.RUNNING,
            attempts=Job.attempts + 1,
            fence=Job.fence + 1,
            lease_until=clock_after(bindparam("lease_seconds", type_=Float)),
            worker=bindparam("by"),
            started_at=clock_after(),
        )
        .returning(Job.id, Job.kind, Job.args, Job.fence, Job.due_at, *STANDING)
        .execution_options(synchronize_session=False)
    )


# The next worker that dies of such a job, or beside it, would end it.
IS_SUSPECT = and_(Job.losses >= LOSSES_ALLOWED - 1, Job.burial.is_(None))
CLAIM_DUE = _claiming(
    Job.queue == bindparam("in_queue"), Job.due_at <= clock_now(), not_(IS_SUSPECT)
)
CLAIM_SUSPECT = _claiming(
    Job.queue.in_(bindparam("in_queues", expanding=True)), Job.due_at <= clock_now(), IS_SUSPECT
)
CLAIM_ONE_DUE = _claiming(Job.id == bindparam("only"), Job.due_at <= clock_now())
CLAIM_ASKED_BY = _claiming(Job.run_at <= bindparam("at"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Who claims, and for how long before others may think it gone."""

    worker: UUID
    lease_seconds: float


async def claim_due(
    session: AsyncSession, claimant: Claimant, *, queue: Queue, room: int
) -> list[Claim]:
    """Take up to ``room`` jobs of a queue that are due by the database's clock, oldest first.

    Suspects are left for ``claim_suspect``.
    """
    return await _claim(session, claimant, CLAIM_DUE, {"room": room, "in_queue": queue})


async def claim_suspect(
    session: AsyncSession, claimant: Claimant, *, queues: Sequence[Queue]
) -> list[Claim]:
    """Take one job that has cost so many workers that the next would be its last."""
    wanted = {"room": 1, "in_queues": list(queues)}
    return await _claim(session, claimant, CLAIM_SUSPECT, wanted)


async def claim_fairly(
    session: AsyncSession, claimant: Claimant, *, queues: Sequence[Queue], room: int
) -> tuple[list[Claim], bool]:
    """Take up to ``room`` due jobs, each queue having an equal share of what is left of it.

    The second part of the answer tells whether more may be waiting.
    """
    claims: list[Claim] = []
    more = False
    for position, queue in enumerate(queues):
        share = math.ceil((room - len(claims)) / (len(queues) - position))
        taken = await claim_due(session, claimant, queue=queue, room=share) if share else []
        more = more or len(taken) == share
        claims += taken
    return claims, more


async def claim_one_due(session: AsyncSession, claimant: Claimant, job_id: UUID) -> Claim | None:
    """Take this one job, if it is due and nobody has it."""
    claims = await _claim(session, claimant, CLAIM_ONE_DUE, {"room": 1, "only": job_id})
    return claims[0] if claims else None


async def claim_asked_by(
    session: AsyncSession, claimant: Claimant, *, now: datetime
) -> Claim | None:
    """Take the next job that was asked for by ``now``, a time that the caller chose."""
    claims = await _claim(session, claimant, CLAIM_ASKED_BY, {"room": 1, "at": now})
    return claims[0] if claims else None


async def _claim(
    session: AsyncSession,
    claimant: Claimant,
    statement: Any,
    which: Mapping[str, object],
) -> list[Claim]:
    lease = {"lease_seconds": claimant.lease_seconds, "by": claimant.worker}
    rows = (await session.execute(statement, {**which, **lease})).all()
    return [_claim_of(row) for row in sorted(rows, key=lambda row: (row.due_at, row.id))]


def standing_of(row: Row[*tuple[Any, ...]]) -> Standing:
    """Read where a job stands from a row that has the columns ``STANDING``."""
    return Standing(
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        losses=row.losses,
        burial=row.burial,
        rung=row.rung,
    )


def _claim_of(row: Row[*tuple[Any, ...]]) -> Claim:
    return Claim(
        id=row.id, kind=row.kind, args=row.args, fence=row.fence, standing=standing_of(row)
    )
