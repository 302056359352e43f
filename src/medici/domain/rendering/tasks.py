"""The background work of a render: short transaction, network, short transaction."""

from datetime import timedelta
from uuid import UUID

from medici.domain.rendering import queries, rules
from medici.domain.rendering.errors import InputUnusable
from medici.domain.rendering.pipeline import CHANCE, Pipeline
from medici.domain.rendering.service import attempt as attempts
from medici.domain.rendering.service import settle
from medici.domain.rendering.work import CANCEL_UPSTREAM, DISPATCH, POLL
from medici.jobs.handlers import handles
from medici.jobs.run import Again, Run
from medici.resources import Resources


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
async def dispatch(run: Run[Resources], *, render_job_id: UUID) -> None:
    """Send one render to the provider whose turn it is."""
    pipeline = Pipeline(run)
    try:
        draft = await pipeline.draft(render_job_id)
    except InputUnusable as unusable:
        async with run.transaction() as session:
            await settle.refuse_input(session, render_job_id, unusable, now=run.now())
        return
    if draft is None:
        async with run.transaction() as session:
            await settle.close_lost(session, render_job_id, now=run.now())
        return
    async with run.transaction() as session:
        begun = await attempts.begin(
            session, render_job_id, estimate=pipeline.estimate(draft), now=run.now()
        )
    if begun is not None:
        await pipeline.send(draft, begun)


@handles(POLL, buried=lost_sight)
async def poll(run: Run[Resources], *, render_job_id: UUID, attempt_id: UUID) -> Again | None:
    """Look how far an attempt has come, and take its picture when it is there."""
    async with run.resources.database.reading() as session:
        watched = await queries.watched(session, render_job_id, attempt_id)
    if not watched.attempt.state.is_open or watched.attempt.ref is None:
        return None
    if watched.job.state.is_terminal:
        await Pipeline(run).withdraw(watched)
        return None
    observation = await Pipeline(run).look(watched)
    if observation is None:
        return None
    async with run.transaction() as session:
        await attempts.observed(session, render_job_id, attempt_id, observation, now=run.now())
    wait = rules.poll_delay_seconds(watched.attempt.polls + 1, chance=CHANCE.random())
    return Again(at=run.now() + timedelta(seconds=wait))


@handles(CANCEL_UPSTREAM)
async def cancel_upstream(run: Run[Resources], *, render_job_id: UUID, attempt_id: UUID) -> None:
    """Tell the provider that nobody waits for this picture any more."""
    async with run.resources.database.reading() as session:
        watched = await queries.watched(session, render_job_id, attempt_id)
    await Pipeline(run).withdraw(watched)
