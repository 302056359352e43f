"""Looking after renders that nobody works on: no job of theirs is queued or running."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.rendering import queries, rules
from medici.domain.rendering.models import AttemptState, RenderAttempt, RenderJob
from medici.domain.rendering.service.dispatching import enqueue_dispatch, enqueue_poll
from medici.domain.rendering.work import DISPATCH, POLL
from medici.jobs.queries import unfinished_keys


async def revive_orphans(session: AsyncSession, *, now: datetime, limit: int) -> int:
    """Queue the next step of every silent render that has none; return how many there were."""
    silent = await queries.silent_jobs(session, before=now - rules.SILENCE, limit=limit)
    attempts = await queries.attempts_by_job(session, [job.id for job in silent])
    keys = [str(job.id) for job in silent]
    keys += [str(attempt.id) for tries in attempts.values() for attempt in tries]
    alive = await unfinished_keys(session, (DISPATCH, POLL), keys)
    revived = 0
    for job in silent:
        last = attempts[job.id][-1] if attempts[job.id] else None
        if not alive.intersection({str(job.id), str(last.id) if last else ""}):
            await _revive(session, job, last, now=now)
            revived += 1
    return revived


async def _revive(
    session: AsyncSession, job: RenderJob, last: RenderAttempt | None, *, now: datetime
) -> None:
    followed = {AttemptState.RUNNING, AttemptState.UNCERTAIN}
    if last is not None and last.finished_at is None and last.state in followed:
        await enqueue_poll(session, last, now=now)
    else:
        await enqueue_dispatch(session, job.id, now=now)
