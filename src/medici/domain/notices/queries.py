"""Reading endpoints, and what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.notices.errors import DeliveryNotFound, EndpointNotFound
from medici.domain.notices.models import (
    DeliveryStatus,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookNotice,
)
from medici.domain.notices.notice import NoticeType


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries to list; ``before`` is the id of the last one of the page before."""

    limit: int
    status: DeliveryStatus | None = None
    type: NoticeType | None = None
    before: UUID | None = None


async def listening_to(session: AsyncSession, notice_type: NoticeType) -> Sequence[WebhookEndpoint]:
    """Return the endpoints to tell, held so that none is deleted before this transaction ends."""
    enabled = (
        select(WebhookEndpoint)
        .where(WebhookEndpoint.disabled_at.is_(None))
        .order_by(WebhookEndpoint.id)
        .with_for_update(read=True, key_share=True)
    )
    return [one for one in await session.scalars(enabled) if one.wants(notice_type)]


async def endpoint_count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(WebhookEndpoint)) or 0


async def endpoints(
    session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[WebhookEndpoint]:
    """List endpoints, oldest first, those behind ``after``."""
    query = select(WebhookEndpoint).order_by(WebhookEndpoint.id).limit(limit)
    if after is not None:
        query = query.where(WebhookEndpoint.id > after)
    return (await session.scalars(query)).all()


async def endpoint(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint:
    """Return one endpoint.

    Raises:
        EndpointNotFound: there is none of this id.
    """
    found = await session.get(WebhookEndpoint, endpoint_id)
    if found is None:
        raise EndpointNotFound
    return found


async def locked_endpoint(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint:
    """Return one endpoint as stored now, locked; who only writes to tell it is not held up.

    Raises:
        EndpointNotFound: there is none of this id.
    """
    found = await session.get(
        WebhookEndpoint,
        endpoint_id,
        with_for_update={"key_share": True},
        populate_existing=True,
    )
    if found is None:
        raise EndpointNotFound
    return found


async def deliveries(
    session: AsyncSession, endpoint_id: UUID, wanted: DeliveryFilter
) -> Sequence[WebhookDelivery]:
    """List what an endpoint was or is to be told, newest first."""
    query = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if wanted.status is not None:
        query = query.where(WebhookDelivery.status == wanted.status)
    if wanted.type is not None:
        query = query.where(WebhookDelivery.type == wanted.type)
    if wanted.before is not None:
        query = query.where(WebhookDelivery.id < wanted.before)
    found = await session.scalars(query.order_by(WebhookDelivery.id.desc()).limit(wanted.limit))
    return found.all()


async def delivery(
    session: AsyncSession, *, endpoint_id: UUID, delivery_id: UUID
) -> WebhookDelivery:
    """Return one delivery of an endpoint.

    Raises:
        DeliveryNotFound: the endpoint has none of this id.
    """
    found = await session.get(WebhookDelivery, delivery_id)
    if found is None or found.endpoint_id != endpoint_id:
        raise DeliveryNotFound
    return found


async def notice(session: AsyncSession, notice_id: UUID) -> WebhookNotice:
    return await session.get_one(WebhookNotice, notice_id)


async def attempts(session: AsyncSession, delivery_id: UUID) -> Sequence[WebhookAttempt]:
    """Return how a delivery was tried, in order."""
    found = await session.scalars(
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id == delivery_id)
        .order_by(WebhookAttempt.number)
    )
    return found.all()


async def failed_since(
    session: AsyncSession, endpoint_id: UUID, *, since: datetime, limit: int
) -> Sequence[WebhookDelivery]:
    """Return what was given up of all that an endpoint was to be told since then, oldest first."""
    found = await session.scalars(
        select(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id == endpoint_id,
            WebhookDelivery.status == DeliveryStatus.FAILED,
            WebhookDelivery.created_at >= since,
        )
        .order_by(WebhookDelivery.id)
        .limit(limit)
    )
    return found.all()
