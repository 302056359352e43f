"""How a subscription stands."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from medici.adapters.payments.news import PurchaseState, Standing
from medici.adapters.payments.stripe.buyers import buyer_of
from medici.adapters.payments.stripe.objects import MID_PERIOD, Subscription, SubscriptionItem
from medici.adapters.payments.stripe.told import Told

STATES: Mapping[str, PurchaseState] = {
    "incomplete": PurchaseState.PENDING,
    "trialing": PurchaseState.TRIALING,
    "active": PurchaseState.ACTIVE,
    "past_due": PurchaseState.GRACE,
    "unpaid": PurchaseState.BILLING_RETRY,
    "paused": PurchaseState.PAUSED,
    "canceled": PurchaseState.EXPIRED,
    "incomplete_expired": PurchaseState.EXPIRED,
}
RUNNING = frozenset({PurchaseState.TRIALING, PurchaseState.ACTIVE})
UNPAID = frozenset({PurchaseState.GRACE, PurchaseState.BILLING_RETRY})


def told_by(subscription: Subscription, *, at: datetime, grace: timedelta) -> Told:
    """Tell how a subscription stood ``at`` a time. An overdue one keeps access for ``grace``."""
    buyer = buyer_of(subscription.metadata, subscription.customer)
    if not subscription.items.data:
        return Told(buyer=buyer, remark="a subscription without items", complete=False)
    if subscription.status not in STATES:
        return Told(buyer=buyer, remark=f"unknown status {subscription.status}"[:200])
    return Told(
        buyer=buyer,
        standings=(_standing(subscription, at, grace),),
        complete=_sold(subscription).price.our_product is not None,
    )


def _standing(subscription: Subscription, at: datetime, grace: timedelta) -> Standing:
    state, sold = _state(subscription, grace), _sold(subscription)
    ends_at, renews = _end(subscription), _renews(subscription, state)
    recurring = sold.price.recurring
    return Standing(
        lineage_id=subscription.id,
        product_id=sold.price.product_id,
        state=state,
        started_at=subscription.start_date,
        period_start=_start(subscription),
        expires_at=_expires_at(subscription, state, at),
        grace_expires_at=_grace_end(subscription, state, grace),
        renews_at=ends_at if renews and state in RUNNING else None,
        resumes_at=_resumes_at(subscription, state),
        will_renew=renews,
        pending_product_id=_pending(subscription),
        transaction_id=subscription.latest_invoice.id if subscription.latest_invoice else None,
        cancel_reason=_cancel_reason(subscription),
        list_price_minor=sold.price.unit_amount,
        currency=sold.price.currency.upper() if sold.price.currency else None,
        period=recurring.period if recurring else None,
        details={"status": subscription.status, "price": sold.price.id},
    )


def _state(subscription: Subscription, grace: timedelta) -> PurchaseState:
    state = STATES[subscription.status]
    if state is PurchaseState.GRACE and not (grace and _paid_until(subscription)):
        return PurchaseState.BILLING_RETRY
    if state is PurchaseState.EXPIRED and _cancel_reason(subscription) == "payment_disputed":
        return PurchaseState.REVOKED
    return state


def _sold(subscription: Subscription) -> SubscriptionItem:
    """Return the item that names a product of ours, or else the first one."""
    items = subscription.items.data
    return next((item for item in items if item.price.our_product), items[0])


def _start(subscription: Subscription) -> datetime | None:
    return _sold(subscription).current_period_start or subscription.current_period_start


def _end(subscription: Subscription) -> datetime | None:
    ends = [item.current_period_end for item in subscription.items.data if item.current_period_end]
    return max(ends, default=subscription.current_period_end)


def _paid_until(subscription: Subscription) -> datetime | None:
    """Return the end of the last paid period of a subscription that is overdue.

    Stripe moves the period on before it is paid, so that it ended where this one starts; unless
    what is unpaid is a change within the period.
    """
    invoice = subscription.latest_invoice
    if invoice and invoice.billing_reason == MID_PERIOD:
        return _end(subscription)
    return _start(subscription)


def _grace_end(
    subscription: Subscription, state: PurchaseState, grace: timedelta
) -> datetime | None:
    paid_until = _paid_until(subscription)
    return paid_until + grace if paid_until and state is PurchaseState.GRACE else None


def _expires_at(subscription: Subscription, state: PurchaseState, at: datetime) -> datetime | None:
    if state in {PurchaseState.EXPIRED, PurchaseState.REVOKED}:
        return subscription.ended_at or subscription.canceled_at or at
    if state in UNPAID:
        return _paid_until(subscription)
    ends = [end for end in (_end(subscription), subscription.cancel_at) if end]
    return min(ends, default=None)


def _renews(subscription: Subscription, state: PurchaseState) -> bool:
    if state not in RUNNING | UNPAID or subscription.cancel_at_period_end:
        return False
    end = _end(subscription)
    return subscription.cancel_at is None or (end is not None and subscription.cancel_at > end)


def _resumes_at(subscription: Subscription, state: PurchaseState) -> datetime | None:
    pause = subscription.pause_collection
    return pause.resumes_at if pause and state is PurchaseState.PAUSED else None


def _pending(subscription: Subscription) -> str | None:
    """Return what the next phase of a schedule changes to, where the schedule is told whole."""
    schedule, end = subscription.schedule, _end(subscription)
    if schedule is None or end is None:
        return None
    coming = [phase for phase in schedule.phases if phase.start_date >= end and phase.items]
    if not coming:
        return None
    product_id = min(coming, key=lambda phase: phase.start_date).items[0].price.product_id
    return None if product_id == _sold(subscription).price.product_id else product_id


def _cancel_reason(subscription: Subscription) -> str | None:
    details = subscription.cancellation_details
    return details.reason[:64] if details and details.reason else None
