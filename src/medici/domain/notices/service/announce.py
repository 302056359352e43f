"""Writing down what other systems shall hear."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.notices import queries, rules
from medici.domain.notices.models import DeliveryStatus, WebhookDelivery, WebhookNotice
from medici.domain.notices.notice import Notice
from medici.domain.notices.work import DELIVER
from medici.jobs.queue import enqueue
from medici.kernel.db.inserts import insert_into
from medici.kernel.ids import new_id


async def announce(session: AsyncSession, notice: Notice, *, now: datetime) -> None:
    """Have every endpoint that listens told, once this transaction has committed.

    Where nobody listens, nothing is written, so a notice is never told to those who come later.
    """
    listening = await queries.listening_to(session, notice.type)
    if not listening:
        return
    notice_id = await _write(session, notice, now=now)
    if notice_id is None:
        return
    for endpoint in listening:
        await _address(session, notice, notice_id, endpoint.id, now=now)


async def announce_to(
    session: AsyncSession, endpoint_id: UUID, notice: Notice, *, now: datetime
) -> WebhookDelivery:
    """Have one endpoint told, whether it listens to such notices or not. ``notice`` has no key."""
    notice_id = new_id()
    await session.execute(
        insert_into(session, WebhookNotice).values(_row(notice, notice_id, now=now))
    )
    return await _address(session, notice, notice_id, endpoint_id, now=now)


async def _write(session: AsyncSession, notice: Notice, *, now: datetime) -> UUID | None:
    """Store a notice; None where one with its key was stored before."""
    insert = insert_into(session, WebhookNotice).values(_row(notice, new_id(), now=now))
    written = await session.execute(
        insert.on_conflict_do_nothing(index_elements=[WebhookNotice.key]).returning(
            WebhookNotice.id
        )
    )
    return written.scalar_one_or_none()


def _row(notice: Notice, notice_id: UUID, *, now: datetime) -> dict[str, object]:
    return {
        "id": notice_id,
        "type": notice.type,
        "subject": notice.subject,
        "key": notice.key,
        "body": rules.body_of(notice, now=now),
        "created_at": now,
    }


async def _address(
    session: AsyncSession, notice: Notice, notice_id: UUID, endpoint_id: UUID, *, now: datetime
) -> WebhookDelivery:
    delivery = WebhookDelivery(
        id=new_id(),
        notice_id=notice_id,
        endpoint_id=endpoint_id,
        type=notice.type,
        status=DeliveryStatus.PENDING,
        next_attempt_at=now,
        created_at=now,
    )
    session.add(delivery)
    await session.flush()
    await enqueue_delivery(session, delivery.id, now=now)
    return delivery


async def enqueue_delivery(session: AsyncSession, delivery_id: UUID, *, now: datetime) -> None:
    """Have a delivery looked after; one that is being looked after already is brought forward."""
    await enqueue(
        session, DELIVER, now=now, args={"delivery_id": delivery_id}, key=str(delivery_id)
    )
