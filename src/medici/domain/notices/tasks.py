"""Telling other systems: short transaction, network, short transaction."""

from datetime import datetime, timedelta
from uuid import UUID

from medici.domain.notices import rules
from medici.domain.notices.letters import post
from medici.domain.notices.models import DeliveryStatus, WebhookDelivery
from medici.domain.notices.service import pruning, sealing
from medici.domain.notices.service.sending import due_letter, give_up, record
from medici.domain.notices.work import DELIVER, SWEEP
from medici.jobs.handlers import handles
from medici.jobs.run import Again, Run
from medici.jobs.schedules import Schedule
from medici.resources import Resources

SWEEPING = Schedule(kind=SWEEP, every=timedelta(hours=1))


async def never_delivered(run: Run[Resources], *, delivery_id: UUID, reason: str) -> None:
    """Give up a delivery that our own side could not even try."""
    async with run.transaction() as session:
        delivery = await session.get(WebhookDelivery, delivery_id)
        if delivery is not None and delivery.status is DeliveryStatus.PENDING:
            give_up(delivery, error=reason)


@handles(DELIVER, buried=never_delivered)
async def deliver(run: Run[Resources], *, delivery_id: UUID) -> Again | None:
    """Try a delivery once, and come back when it is to be tried again.

    A run that is lost between sending and writing down sends once more under the same id.
    """
    resources, began_at = run.resources, run.now()
    async with run.transaction() as session:
        due = await due_letter(session, delivery_id, keys=resources.keys, now=began_at)
    if due is None:
        return None
    if isinstance(due, datetime):
        return Again(at=due)

    endpoint_id = due.endpoint_id
    later = resources.turns.take(
        endpoint_id,
        most=rules.most_at_once(resources.settings.medici_worker_concurrency),
        draw=rules.draw(delivery_id, run.attempt),
        now=began_at,
    )
    if later is not None:
        return Again(at=later)
    try:
        answer = await post(resources.outgoing, due)
    finally:
        resources.turns.give_back(endpoint_id, took=run.now() - began_at)

    async with run.transaction() as session:
        following = await record(session, delivery_id, answer, began_at=began_at, now=run.now())
    return None if following is None else Again(at=following)


@handles(SWEEP)
async def sweep(run: Run[Resources]) -> None:
    """Forget what is old, some notices at a time, and keep secrets under the newest key."""
    async with run.transaction() as session:
        await pruning.forget_old_secrets(session, now=run.now())
        await sealing.reseal_secrets(session, run.resources.keys)
    pruned = pruning.BATCH
    while pruned == pruning.BATCH:
        async with run.transaction() as session:
            pruned = await pruning.prune_notices(session, now=run.now())
