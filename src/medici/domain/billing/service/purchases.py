"""Bringing a purchase to where everything that was told about its lineage leads."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Paid, PurchaseState, Source, Standing
from medici.domain.billing.derive import UNKNOWN, Held, ends_at
from medici.domain.billing.fold import Folded, Told, fold, longest
from medici.domain.billing.lineages import Lineage, told_by
from medici.domain.billing.models import Purchase, PurchaseEvent, StoreRefund, StoreTransaction
from medici.domain.billing.ownership import Ownership
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service import telling
from medici.domain.billing.service.comings import Was, report
from medici.domain.billing.service.crediting import Around
from medici.domain.billing.service.owners import owner
from medici.domain.billing.service.products import plan_of_purchase, plan_sold_as
from medici.domain.billing.service.refunds import refunds_of
from medici.kernel.ids import new_id

HELD = tuple(field.name for field in fields(Held))
AS_SAID = (
    "handle",
    "product_id",
    "state",
    "ownership",
    "period_start",
    "grace_expires_at",
    "resumes_at",
    "lifetime",
    "will_renew",
    "list_price_minor",
    "currency",
    "period",
    "cancel_reason",
)
OVERRIDE = "override:"  # what the lineage of an operator's override begins with


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that is known about one lineage."""

    lineage: Lineage
    told: Sequence[Told]
    payments: Sequence[StoreTransaction]
    refunds: Sequence[StoreRefund]
    row: Purchase | None  # as it was before
    owner: Ownership

    @property
    def around(self) -> Around:
        return Around(lineage=self.payments, refunds=self.refunds, lasting=longest(self.told))

    @property
    def users(self) -> set[str]:
        """Return whose it was and whose it is."""
        before = self.row.user_id if self.row else None
        return {user_id for user_id in (before, self.owner.user_id) if user_id is not None}


def held(row: Purchase) -> Held:
    """Return a purchase as decisions see it."""
    return Held(**{name: getattr(row, name) for name in HELD})


async def story_of(session: AsyncSession, lineage: Lineage, *, policy: StorePolicy) -> Story:
    """Read all that is known about a lineage, which is locked."""
    told = await _told(session, lineage)
    payments = await _payments(session, lineage)
    named = {each.standing.transaction_id for each in told if each.standing.transaction_id}
    ids = named | {paid.transaction_id for paid in payments}
    return Story(
        lineage=lineage,
        told=told,
        payments=payments,
        refunds=await refunds_of(session, lineage, ids) if ids else [],
        row=await purchase_of(session, lineage),
        owner=await owner(session, lineage, told, payments, policy=policy),
    )


async def purchase_of(session: AsyncSession, lineage: Lineage) -> Purchase | None:
    """Return the row of a lineage as it is now."""
    row: Purchase | None = await session.scalar(
        select(Purchase)
        .where(
            Purchase.source == lineage.source,
            Purchase.environment == lineage.environment,
            Purchase.lineage_id == lineage.id,
        )
        .execution_options(populate_existing=True)
    )
    return row


async def write_purchase(
    session: AsyncSession, story: Story, *, policy: StorePolicy, now: datetime
) -> Purchase | None:
    """Store how a lineage stands, and report what that changes; None before it has a standing."""
    if not story.told:
        return None
    folded = fold(story.told)
    values = await _values(session, story, folded, policy=policy)
    if story.row is None:
        row = Purchase(id=new_id(), updated_at=now, **values)
        session.add(row)
        await session.flush()
        await _report(session, None, row, story, policy=policy, now=now)
        return row
    was = Was(purchase=held(story.row), user_id=story.row.user_id, since=story.row.updated_at)
    changed = {name for name, value in values.items() if getattr(story.row, name) != value}
    for name in changed:
        setattr(story.row, name, values[name])
    if changed:
        story.row.updated_at = now
        await session.flush()
        await _report(session, was, story.row, story, policy=policy, now=now)
    return story.row


async def _values(
    session: AsyncSession, story: Story, folded: Folded, *, policy: StorePolicy
) -> dict[str, Any]:
    current = folded.standing.transaction_id or _newest(story.payments)
    revoked_at = _revoked_at(story.refunds, current)
    values = {
        **_said(folded),
        **_named(story),
        **await _sold(session, story, folded.standing),
        "transaction_id": current,
        "revoked_at": revoked_at,
    }
    if revoked_at is not None:
        values |= {"state": PurchaseState.REVOKED, "will_renew": False}
    known = {name: value for name, value in values.items() if name in HELD}
    return {**values, "ends_at": _end(Held(id=new_id(), **known), policy)}


def _said(folded: Folded) -> dict[str, Any]:
    """Return what the messages alone say."""
    standing, newest = folded.standing, folded.newest
    return {
        **{name: getattr(standing, name) for name in AS_SAID},
        "started_at": folded.started_at,
        "expires_at": folded.expires_at,
        "renews_at": folded.renews_at,
        "auth_mode": newest.auth_mode,
        "watermark": newest.event_time,
        "watermark_event_id": newest.event_id,
        "details": dict(standing.details),
    }


def _named(story: Story) -> dict[str, Any]:
    """Return which purchase it is, and whose."""
    lineage = story.lineage
    return {
        "source": lineage.source,
        "environment": lineage.environment,
        "lineage_id": lineage.id,
        "override": lineage.source is Source.MANUAL and lineage.id.startswith(OVERRIDE),
        "user_id": story.owner.user_id,
        "bound": story.owner.bound,
        "account_token": _last(story.told, "account_token"),
        "customer_id": _last(story.told, "customer_id"),
    }


async def _sold(session: AsyncSession, story: Story, standing: Standing) -> dict[str, Any]:
    """Return which plan it is; what has left the catalogue stays what it was."""
    source, row = story.lineage.source, story.row
    plan = await plan_of_purchase(session, row, source, standing.product_id)
    coming = await plan_sold_as(session, source, standing.pending_product_id)
    values = {"pending_plan_id": coming.plan_id if coming else None}
    if plan is not None:
        return {**values, "plan_id": plan.plan_id, "plan_price_cents": plan.monthly_price_cents}
    if row is not None and row.product_id == standing.product_id:
        return {**values, "plan_id": row.plan_id, "plan_price_cents": row.plan_price_cents}
    return {**values, "plan_id": None, "plan_price_cents": None}


def _end(purchase: Held, policy: StorePolicy) -> datetime | None:
    end = ends_at(purchase, leeway=policy.leeway)
    return None if end == UNKNOWN else end


def _newest(payments: Sequence[StoreTransaction]) -> str | None:
    periods = [(paid.paid_at, paid.transaction_id) for paid in payments if paid.paid != Paid.ONCE]
    return max(periods)[1] if periods else None


def _revoked_at(refunds: Sequence[StoreRefund], current: str | None) -> datetime | None:
    ended = [
        refund.said_at
        for refund in refunds
        if refund.transaction_id == current and refund.ends_access and not refund.reversed
    ]
    return min(ended, default=None)


def _last(told: Sequence[Told], name: str) -> object:
    said = [getattr(each.buyer, name) for each in told]
    return next((value for value in reversed(said) if value is not None), None)


async def _report(
    session: AsyncSession,
    was: Was | None,
    row: Purchase,
    story: Story,
    *,
    policy: StorePolicy,
    now: datetime,
) -> None:
    await report(session, was, row, held(row), story.told, policy=policy, now=now)
    overdue = was is not None and was.purchase.state in telling.OVERDUE
    if row.state in telling.OVERDUE and not overdue:
        await telling.payment_overdue(session, row, now=now)


async def _told(session: AsyncSession, lineage: Lineage) -> list[Told]:
    rows = await session.scalars(
        select(PurchaseEvent)
        .where(
            PurchaseEvent.source == lineage.source,
            PurchaseEvent.environment == lineage.environment,
            PurchaseEvent.lineage_id == lineage.id,
        )
        .execution_options(populate_existing=True)
    )
    return sorted((told_by(row) for row in rows), key=lambda each: each.place)


async def _payments(session: AsyncSession, lineage: Lineage) -> list[StoreTransaction]:
    rows = await session.scalars(
        select(StoreTransaction)
        .where(
            StoreTransaction.source == lineage.source,
            StoreTransaction.environment == lineage.environment,
            StoreTransaction.lineage_id == lineage.id,
        )
        .order_by(StoreTransaction.paid_at, StoreTransaction.transaction_id)
        .execution_options(populate_existing=True)
    )
    return list(rows)
