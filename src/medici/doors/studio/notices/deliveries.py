"""The log of outgoing webhooks: what was sent, what came of it, and sending it again."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict

from medici.domain.notices import queries
from medici.domain.notices.errors import DeliveryNotFound
from medici.domain.notices.models import DeliveryStatus, WebhookAttempt, WebhookDelivery
from medici.domain.notices.notice import NoticeType
from medici.domain.notices.queries import DeliveryFilter
from medici.domain.notices.service import redelivering
from medici.domain.notices.service.endpoints import send_test
from medici.domain.notices.signing import message_id
from medici.doors.http.auth import Operator
from medici.doors.http.paging import Cursor, Limit, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.notices.acts import Act, EndpointId, place_in
from medici.kernel.ids import parse_id

router = APIRouter(prefix="/v1/admin/webhook-endpoints/{endpoint_id}", tags=["outgoing webhooks"])


async def known_id(delivery_id: str) -> UUID:
    """Read a delivery's id; what is none is a delivery that nobody has."""
    found = parse_id(delivery_id)
    if found is None:
        raise DeliveryNotFound
    return found


DeliveryId = Annotated[UUID, Depends(known_id)]


class DeliveryOut(BaseModel):
    """One notice on its way to one endpoint. ``message_id`` is what ``webhook-id`` says.

    ``error`` and ``status_code`` are those of the newest attempt. ``next_attempt_at`` is null once
    the delivery is ``delivered`` or ``failed``.
    """

    id: UUID
    message_id: str
    type: str
    status: DeliveryStatus
    attempts: int
    status_code: int | None
    error: str | None
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> "DeliveryOut":
        return cls(
            id=delivery.id,
            message_id=message_id(delivery.notice_id),
            type=delivery.type,
            status=delivery.status,
            attempts=delivery.attempt_count,
            status_code=delivery.status_code,
            error=delivery.error,
            created_at=delivery.created_at,
            next_attempt_at=delivery.next_attempt_at,
            delivered_at=delivery.delivered_at,
        )


class DeliveriesOut(BaseModel):
    """Newest first."""

    deliveries: list[DeliveryOut]
    next_cursor: str | None


class DeliveryAttemptOut(BaseModel):
    """One try. ``answer`` is at most the first 512 characters; ``error`` is null on success."""

    number: int
    at: datetime
    latency_ms: int
    status_code: int | None
    answer: str | None
    error: str | None

    @classmethod
    def of(cls, attempt: WebhookAttempt) -> "DeliveryAttemptOut":
        return cls(
            number=attempt.number,
            at=attempt.at,
            latency_ms=attempt.latency_ms,
            status_code=attempt.status_code,
            answer=attempt.answer,
            error=attempt.error,
        )


class DeliveryShownOut(BaseModel):
    """A delivery with each of its attempts, and what is sent."""

    delivery: DeliveryOut
    subject: str
    payload: dict[str, Any]
    attempts: list[DeliveryAttemptOut]


class RedeliveryIn(BaseModel):
    """From when on; deliveries announced before that stay as they are."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime


class RedeliveryOut(BaseModel):
    """``more`` is true where some are left: ask again."""

    redelivered: int
    more: bool


@router.post("/test", status_code=202)
async def send_test_event(act: Act, endpoint_id: EndpointId) -> DeliveryOut:
    """Send this endpoint an ``endpoint.test``, whatever it listens to.

    Refused with 409 ``webhook_endpoint_disabled``.
    """
    delivery = await send_test(act.session, endpoint_id, now=act.now)
    await act.record("webhook_test_sent", endpoint_id, after={"delivery_id": str(delivery.id)})
    return DeliveryOut.of(delivery)


@router.get("/deliveries")
async def list_deliveries(
    _operator: Operator,
    endpoint_id: EndpointId,
    session: ReadSession,
    status: DeliveryStatus | None = None,
    type: NoticeType | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DeliveriesOut:
    """List what the endpoint was or is to be told, newest first."""
    await queries.endpoint(session, endpoint_id)
    wanted = DeliveryFilter(limit=limit, status=status, type=type, before=place_in(cursor))
    found = await queries.deliveries(session, endpoint_id, wanted)
    full = len(found) == limit
    return DeliveriesOut(
        deliveries=[DeliveryOut.of(one) for one in found],
        next_cursor=encode_cursor(str(found[-1].id)) if full else None,
    )


@router.get("/deliveries/{delivery_id}")
async def show_delivery(
    _operator: Operator, endpoint_id: EndpointId, delivery_id: DeliveryId, session: ReadSession
) -> DeliveryShownOut:
    """Show one delivery: what is sent, and how each attempt went."""
    delivery = await queries.delivery(session, endpoint_id=endpoint_id, delivery_id=delivery_id)
    notice = await queries.notice(session, delivery.notice_id)
    return DeliveryShownOut(
        delivery=DeliveryOut.of(delivery),
        subject=notice.subject,
        payload=json.loads(notice.body),
        attempts=[
            DeliveryAttemptOut.of(one) for one in await queries.attempts(session, delivery_id)
        ],
    )


@router.post("/deliveries/{delivery_id}/redeliver", status_code=202)
async def redeliver(act: Act, endpoint_id: EndpointId, delivery_id: DeliveryId) -> DeliveryOut:
    """Send a notice again at once, under the id that it had.

    Refused with 409 ``webhook_endpoint_disabled``.
    """
    delivery = await redelivering.redeliver(
        act.session, endpoint_id=endpoint_id, delivery_id=delivery_id, now=act.now
    )
    await act.record("webhook_redelivered", endpoint_id, after={"delivery_id": str(delivery_id)})
    return DeliveryOut.of(delivery)


@router.post("/redeliver-failed", status_code=202)
async def redeliver_failed(act: Act, endpoint_id: EndpointId, body: RedeliveryIn) -> RedeliveryOut:
    """Send again, oldest first and up to 500 at once, what was given up since a moment.

    Refused with 409 ``webhook_endpoint_disabled``.
    """
    again = await redelivering.redeliver_failed(
        act.session, endpoint_id=endpoint_id, since=body.since, now=act.now
    )
    await act.record(
        "webhook_failures_redelivered",
        endpoint_id,
        after={"since": body.since.isoformat(), "count": again.count},
    )
    return RedeliveryOut(redelivered=again.count, more=again.more)
