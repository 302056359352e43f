"""What others hear of purchases: facts for the figures, notices for other systems."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Paid, PurchaseState
from medici.domain.billing.models import Purchase, StoreRefund, StoreTransaction
from medici.domain.events import service as events
from medici.domain.events.facts import EventName, Fact
from medici.domain.notices.notice import Notice, NoticeType
from medici.domain.notices.service.announce import announce
from medici.kernel.environment import Environment

OVERDUE = frozenset({PurchaseState.GRACE, PurchaseState.BILLING_RETRY})


async def payment_taken(
    session: AsyncSession,
    paid: StoreTransaction,
    lineage: Sequence[StoreTransaction],
    *,
    now: datetime,
) -> None:
    """Report a payment once it is known whose it is and what for."""
    if paid.environment is not Environment.PRODUCTION:
        return
    for name in _names(paid, lineage):
        fact = Fact(
            name=name,
            occurred_at=paid.paid_at,
            user_id=paid.user_id,
            platform=paid.source,
            credits=paid.credits,
            plan_id=paid.plan_id,
            properties={
                "transaction_id": paid.transaction_id,
                "product_id": paid.product_id,
                "pack_id": paid.pack_id,
                "amount_minor": paid.amount_minor,
                "currency": paid.currency,
                "quantity": paid.quantity,
            },
        )
        await events.record(session, fact, now=now)


def _names(paid: StoreTransaction, lineage: Sequence[StoreTransaction]) -> Sequence[EventName]:
    if paid.paid is Paid.ONCE:
        return [EventName.PACK_PURCHASED] if paid.pack_id else []
    if paid.paid is Paid.TRIAL:
        return [EventName.TRIAL_STARTED]
    before = [one for one in lineage if one.paid_at < paid.paid_at]
    if any(one.paid is Paid.PERIOD for one in before):
        return [EventName.SUBSCRIPTION_RENEWED]
    return [EventName.TRIAL_CONVERTED] if before else []


async def purchase_moved(
    session: AsyncSession, row: Purchase, name: EventName, *, at: datetime, now: datetime
) -> None:
    """Report that a purchase began, changed its plan, ended, or came back."""
    if row.environment is not Environment.PRODUCTION:
        return
    fact = Fact(
        name=name,
        occurred_at=at,
        user_id=row.user_id,
        platform=row.source,
        status=row.state,
        plan_id=row.plan_id,
        properties={
            "purchase_id": str(row.id),
            "product_id": row.product_id,
            "list_price_minor": row.list_price_minor,
            "currency": row.currency,
            "period": row.period,
            "cancel_reason": row.cancel_reason,
        },
    )
    await events.record(session, fact, now=now)


async def payment_refunded(
    session: AsyncSession, refund: StoreRefund, paid: StoreTransaction, *, now: datetime
) -> None:
    """Report a refund of a payment whose customer is known."""
    if paid.environment is not Environment.PRODUCTION:
        return
    told = {
        "transaction_id": paid.transaction_id,
        "refund_id": refund.refund_id,
        "product_id": paid.product_id,
        "pack_id": paid.pack_id,
        "amount_minor": refund.amount_minor,
        "currency": paid.currency,
        "share_ppm": refund.share_ppm,
        "reason": refund.reason,
        "revoked_credits": paid.revoked_credits,
        "unrecovered_credits": paid.unrecovered_credits,
    }
    fact = Fact(
        name=EventName.PURCHASE_REFUNDED,
        occurred_at=refund.said_at,
        user_id=paid.user_id,
        platform=paid.source,
        plan_id=paid.plan_id,
        properties=told,
    )
    await events.record(session, fact, now=now)
    notice = Notice(
        type=NoticeType.PURCHASE_REFUNDED,
        subject=f"user:{paid.user_id}",
        data={"user_id": paid.user_id, "source": str(paid.source), "plan_id": paid.plan_id, **told},
        key=f"refund:{paid.source}:{paid.environment}:{refund.refund_id}",
    )
    await announce(session, notice, now=now)


async def payment_overdue(session: AsyncSession, row: Purchase, *, now: datetime) -> None:
    """Announce that a renewal was not paid."""
    if row.environment is not Environment.PRODUCTION or row.user_id is None:
        return
    notice = Notice(
        type=NoticeType.SUBSCRIPTION_PAST_DUE,
        subject=f"user:{row.user_id}",
        data=shown(row),
        key=f"past_due:{row.id}:{row.watermark.isoformat()}",
    )
    await announce(session, notice, now=now)


def shown(row: Purchase) -> dict[str, object]:
    """Return a purchase as other systems see it."""
    return {
        "purchase_id": str(row.id),
        "user_id": row.user_id,
        "source": str(row.source),
        "environment": str(row.environment),
        "lineage_id": row.lineage_id,
        "product_id": row.product_id,
        "plan_id": row.plan_id,
        "pending_plan_id": row.pending_plan_id,
        "state": str(row.state),
        "will_renew": row.will_renew,
        "started_at": row.started_at.isoformat(),
        "expires_at": _written(row.expires_at),
        "grace_expires_at": _written(row.grace_expires_at),
        "renews_at": _written(row.renews_at),
        "resumes_at": _written(row.resumes_at),
        "cancel_reason": row.cancel_reason,
    }


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
