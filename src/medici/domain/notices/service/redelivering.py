"""Sending again what was sent, or could not be."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.notices import queries
from medici.domain.notices.models import DeliveryStatus, WebhookDelivery
from medici.domain.notices.service.announce import enqueue_delivery
from medici.domain.notices.service.endpoints import waken

AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Redelivered:
    """How many deliveries were set going, and whether others are left to ask for."""

    count: int
    more: bool


async def redeliver(
    session: AsyncSession, *, endpoint_id: UUID, delivery_id: UUID, now: datetime
) -> WebhookDelivery:
    """Send a notice again at once under the id that it had, with all its tries before it.

    Raises:
        EndpointNotFound, DeliveryNotFound: there is none of this id.
        EndpointDisabled: it is told nothing.
    """
    await waken(session, endpoint_id)
    delivery = await queries.delivery(session, endpoint_id=endpoint_id, delivery_id=delivery_id)
    await _set_going(session, delivery, now=now)
    return delivery


async def redeliver_failed(
    session: AsyncSession,
    *,
    endpoint_id: UUID,
    since: datetime,
    now: datetime,
    limit: int = AT_ONCE,
) -> Redelivered:
    """Send again, oldest first, what was announced since then and given up.

    Raises:
        EndpointNotFound: there is none of this id.
        EndpointDisabled: it is told nothing.
    """
    await waken(session, endpoint_id)
    failed = await queries.failed_since(session, endpoint_id, since=since, limit=limit + 1)
    for delivery in failed[:limit]:
        await _set_going(session, delivery, now=now)
    return Redelivered(count=min(len(failed), limit), more=len(failed) > limit)


async def _set_going(session: AsyncSession, delivery: WebhookDelivery, *, now: datetime) -> None:
    delivery.status, delivery.next_attempt_at = DeliveryStatus.PENDING, now
    delivery.tries = 0
    await session.flush()
    await enqueue_delivery(session, delivery.id, now=now)
