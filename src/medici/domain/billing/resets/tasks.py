"""The reset's background work: looking whether one is due, and carrying one on."""

from datetime import timedelta
from uuid import UUID

from medici.domain.billing.resets import runs as resets
from medici.domain.billing.resets.work import RUN, TICK
from medici.jobs.handlers import handles
from medici.jobs.run import Again, Run
from medici.jobs.schedules import Schedule
from medici.resources import Resources

TICKING = Schedule(kind=TICK, every=timedelta(minutes=1))
BATCHES = 500  # of one run, far fewer than its time allows
SCHEDULE = "schedule"  # the actor where no person asked for a reset


@handles(TICK)
async def tick_reset(run: Run[Resources]) -> None:
    """Begin the day's reset once it is due, and see to it that somebody goes on with it."""
    async with run.transaction() as session:
        await resets.tick(session, actor=SCHEDULE, now=run.now())
        await resets.hand_over_unfinished(session, now=run.now())


async def give_up_reset(run: Run[Resources], *, run_id: UUID, reason: str) -> None:  # noqa: ARG001 - the form of last words
    """Let the next tick begin a reset anew."""
    async with run.transaction() as session:
        await resets.give_up(session, run_id, now=run.now())


@handles(RUN, buried=give_up_reset)
async def carry_reset_on(run: Run[Resources], *, run_id: UUID) -> Again | None:
    """Go on with a reset from where it stands; a long one in several runs."""
    ended = await resets.carry_on(run.transaction, run_id, clock=run.now, batches=BATCHES)
    return None if ended else Again(at=run.now())
