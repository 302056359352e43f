"""The background work of a render: short transaction, network, short transaction."""

from datetime import timedelta
from uuid import UUID

import structlog

from medici.domain.rendering import rules
from medici.domain.rendering.errors import InputUnusable, NobodyLeft
from medici.domain.rendering.pipeline import CHANCE, Pipeline
from medici.domain.rendering.service import settle
from medici.domain.rendering.service.choosing import Wait
from medici.domain.rendering.service.following import Look, observe_all
from medici.domain.rendering.service.sweep import revive_orphans
from medici.domain.rendering.wanted import watched_all
from medici.domain.rendering.work import CANCEL_UPSTREAM, DISPATCH, POLL, SWEEP
from medici.jobs.handlers import handles
from medici.jobs.run import Again, Run
from medici.jobs.schedules import Schedule
from medici.resources import Resources

SWEEP_BATCH = 500
SWEEPING = Schedule(kind=SWEEP, every=timedelta(minutes=1))
log = structlog.get_logger("medici.rendering")


async def never_sent(run: Run[Resources], *, render_job_id: UUID, reason: str) -> None:
    """End a render whose sending failed for good."""
    async with run.transaction() as session:
        await settle.give_up(session, render_job_id, reason=reason, now=run.now())


async def lost_sight(
    run: Run[Resources],
    *,
    render_job_id: UUID,
    attempt_id: UUID,  # noqa: ARG001 - a job has at most one open attempt
    reason: str,
) -> None:
    """End a render that could not be followed to its end."""
    async with run.transaction() as session:
        await settle.give_up(session, render_job_id, reason=reason, now=run.now())


@handles(DISPATCH, buried=never_sent)
async def dispatch(run: Run[Resources], *, render_job_id: UUID) -> Again | None:
    """Send one render to the provider whose turn it is."""
    pipeline = Pipeline(run)
    try:
        draft = await pipeline.draft(render_job_id)
    except InputUnusable as unusable:
        async with run.transaction() as session:
            await settle.refuse_input(session, render_job_id, unusable, now=run.now())
        return None
    try:
        begun = await pipeline.begin(draft) if draft is not None else None
    except NobodyLeft:
        async with run.transaction() as session:
            await settle.nobody_left(session, render_job_id, now=run.now())
        return None
    if isinstance(begun, Wait):
        return Again(at=begun.until + timedelta(seconds=CHANCE.random() / 2))
    if draft is None or begun is None:  # it has ended, perhaps while we read its picture
        async with run.transaction() as session:
            await settle.close_lost(session, render_job_id, now=run.now())
        return None
    await pipeline.send(draft, begun)
    return None


@handles(POLL, buried=lost_sight)
async def poll(run: Run[Resources], *, render_job_id: UUID, attempt_id: UUID) -> Again | None:
    """Look how far an attempt has come, and take its picture when it is there."""
    watched = await run.look(watched_all, attempt_id)
    if watched.attempt.finished_at is not None:
        return None
    if watched.attempt.ref is None:
        await Pipeline(run).give_up_waiting(watched)
        return None
    if watched.job.state.is_terminal:
        await Pipeline(run).withdraw(watched)
        return None
    observation = await Pipeline(run).look(watched)
    if observation is None:
        return None
    look = Look(job_id=render_job_id, attempt_id=attempt_id, observation=observation, now=run.now())
    await run.take(observe_all, look)
    wait = rules.poll_delay_seconds(watched.attempt.polls + 1, chance=CHANCE.random())
    return Again(at=run.now() + timedelta(seconds=wait))


@handles(SWEEP)
async def sweep_renders(run: Run[Resources]) -> None:
    """Put every render that fell out of the queue back into it."""
    async with run.transaction() as session:
        revived = await revive_orphans(session, now=run.now(), limit=SWEEP_BATCH)
    if revived:
        log.warning("render.orphans_revived", count=revived)


@handles(CANCEL_UPSTREAM)
async def cancel_upstream(
    run: Run[Resources],
    *,
    render_job_id: UUID,  # noqa: ARG001 - in the arguments for those who read the queue
    attempt_id: UUID,
) -> None:
    """Tell the provider that nobody waits for this picture any more."""
    watched = await run.look(watched_all, attempt_id)
    await Pipeline(run).withdraw(watched)
