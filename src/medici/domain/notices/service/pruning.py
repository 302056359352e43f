"""Forgetting what was told long ago, and secrets that sign no more."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.notices.models import (
    DeliveryStatus,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookNotice,
)
from medici.domain.notices.rules import DELIVERED_KEPT, FAILED_KEPT

BATCH = 500


async def prune_notices(session: AsyncSession, *, now: datetime, limit: int = BATCH) -> int:
    """Forget old notices with their deliveries and attempts; return how many.

    What was delivered is kept for 30 days, what was given up for 90, and what is on its way until
    it is one or the other.
    """
    old = (
        select(WebhookNotice.id)
        .where(
            WebhookNotice.created_at < now - DELIVERED_KEPT,
            ~_has_delivery(DeliveryStatus.PENDING),
            (WebhookNotice.created_at < now - FAILED_KEPT) | ~_has_delivery(DeliveryStatus.FAILED),
        )
        .order_by(WebhookNotice.created_at)
        .limit(limit)
    )
    deleted = await session.execute(
        delete(WebhookNotice)
        .where(WebhookNotice.id.in_(old.scalar_subquery()))
        .returning(WebhookNotice.id)
    )
    return len(deleted.all())


async def forget_old_secrets(session: AsyncSession, *, now: datetime) -> None:
    """Delete the secrets whose time of signing along is over."""
    await session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.previous_secret_until <= now)
        .values(previous_secret=None, previous_secret_until=None)
    )


def _has_delivery(status: DeliveryStatus) -> ColumnElement[bool]:
    return (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.notice_id == WebhookNotice.id, WebhookDelivery.status == status)
        .exists()
    )
