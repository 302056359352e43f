"""Writing down how a run ended, if it still holds its job."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.claims import STANDING, Claim, standing_of
from medici.jobs.database_clock import clock_after
from medici.jobs.failures import Failure
from medici.jobs.models import IS_RUNNING, Job, State
from medici.jobs.outcomes import Failed, HandedBack, Lost, Outcome, following_from
from medici.jobs.rules import Next, Standing, after_done
from medici.kernel.db.base import Instant

FINAL = frozenset({State.DONE, State.DEAD})
HELD = (
    select(*STANDING)
    .where(IS_RUNNING, Job.id == bindparam("job_id"), Job.fence == bindparam("held_fence"))
    .with_for_update()
)
# The common end in one statement: done, and not asked for again meanwhile.
_FINISH = (
    update(Job)
    .where(IS_RUNNING, Job.rung.is_(False), Job.burial.is_(None))
    .values(
        state=State.DONE,
        fence=Job.fence + 1,
        lease_until=None,
        worker=None,
        finished_at=clock_after(),
    )
    .returning(Job.id)
    .execution_options(synchronize_session=False)
)
FINISH_ONE = _FINISH.where(Job.id == bindparam("job_id"), Job.fence == bindparam("held_fence"))
FINISH_ALL = _FINISH.where(tuple_(Job.id, Job.fence).in_(bindparam("held", expanding=True)))


async def held(session: AsyncSession, claim: Claim) -> Standing | None:
    """Lock a job and tell where it stands; None where the claim on it is void."""
    values = {"job_id": claim.id, "held_fence": claim.fence}
    row = (await session.execute(HELD, values)).one_or_none()
    return None if row is None else standing_of(row)


async def finish_all(session: AsyncSession, claims: Sequence[Claim]) -> set[UUID]:
    """Mark jobs done at once; return those for which it was as simple as that."""
    pairs = [(claim.id, claim.fence) for claim in claims]
    return set((await session.execute(FINISH_ALL, {"held": pairs})).scalars())


async def finish_one(session: AsyncSession, claim: Claim) -> bool:
    """Mark a job done; False, and nothing written, where its claim is void."""
    values = {"job_id": claim.id, "held_fence": claim.fence}
    if (await session.execute(FINISH_ONE, values)).scalar_one_or_none():
        return True
    standing = await held(session, claim)
    if standing is None:
        return False
    await write_next(session, claim.id, after_done(standing))
    return True


async def settle(
    session: AsyncSession, claim: Claim, outcome: Outcome, *, now: datetime, draw: float
) -> Next | None:
    """Write what follows from a run's end; None, and nothing written, where its lease was lost."""
    standing = await held(session, claim)
    if standing is None or isinstance(outcome, Lost):
        return None
    following = following_from(standing, outcome, now=now, draw=draw)
    failure = outcome.failure if isinstance(outcome, Failed | HandedBack) else None
    await write_next(session, claim.id, following, now=now, failure=failure)
    return following


async def write_next(
    session: AsyncSession,
    job_id: UUID,
    following: Next,
    *,
    now: datetime | None = None,
    failure: Failure | None = None,
) -> None:
    """Store where a job stands after a run; the caller has it locked.

    ``now`` is needed where the job is to wait.
    """
    change = update(Job).values(
        state=following.state,
        attempts=following.attempts,
        losses=following.losses,
        burial=following.burial,
        rung=following.rung,
        fence=Job.fence + 1,
        lease_until=None,
        worker=None,
    )
    if following.state in FINAL:
        change = change.values(finished_at=clock_after())
    elif following.delay_seconds is not None:
        change = change.values(**_due(following.delay_seconds, asked=following.asked, now=now))
    if failure is not None:
        change = change.values(last_error_code=failure.code, last_error=failure.message)
    await session.execute(
        change.where(Job.id == job_id), execution_options={"synchronize_session": False}
    )


def _due(delay_seconds: float, *, asked: bool, now: datetime | None) -> dict[str, Any]:
    """Say when a job is due, by the database's clock and by the caller's."""
    due: dict[str, Any] = {"due_at": clock_after(delay_seconds)}
    if now is not None and delay_seconds:
        due["run_at"] = literal(now + timedelta(seconds=delay_seconds), Instant())
    if not asked:
        return due
    sooner = Job.due_at < clock_after(delay_seconds)
    return {name: case((sooner, getattr(Job, name)), else_=value) for name, value in due.items()}
