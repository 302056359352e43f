"""Which event is about what."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

from pydantic import ValidationError

from medici.adapters.payments.news import AuthMode, Source, StoreNews
from medici.adapters.payments.stripe import checkouts, invoices, refunds, subscriptions
from medici.adapters.payments.stripe.event import StripeEvent
from medici.adapters.payments.stripe.fields import Part
from medici.adapters.payments.stripe.objects import (
    Charge,
    CheckoutSession,
    Dispute,
    Invoice,
    StripeRefund,
    Subscription,
)
from medici.adapters.payments.stripe.told import Told

Object = TypeVar("Object", bound=Part)
Reader: TypeAlias = Callable[[StripeEvent, timedelta], Told]

NOT_OURS = "an event that changes nothing here"
UNREADABLE = "an object that cannot be read"


def _subscription(event: StripeEvent, grace: timedelta) -> Told:
    found = read(Subscription, event)
    return subscriptions.told_by(found, at=event.created_at, grace=grace)


def _checkout(event: StripeEvent, _grace: timedelta) -> Told:
    return checkouts.told_by(read(CheckoutSession, event), at=event.created_at)


def _lost_checkout(event: StripeEvent, _grace: timedelta) -> Told:
    return checkouts.told_of_end(read(CheckoutSession, event))


def _invoice(event: StripeEvent, _grace: timedelta) -> Told:
    return invoices.told_by(read(Invoice, event), at=event.created_at)


def _unpaid_invoice(event: StripeEvent, _grace: timedelta) -> Told:
    """Say nothing: only the subscription knows how it stands after a payment that failed."""
    invoice = read(Invoice, event)
    return Told(remark="a payment that failed", complete=invoice.subscription_id is None)


def _charge(event: StripeEvent, _grace: timedelta) -> Told:
    return refunds.told_by_charge(read(Charge, event), at=event.created_at)


def _refund(event: StripeEvent, _grace: timedelta) -> Told:
    read(StripeRefund, event)
    return Told(remark=refunds.UNRESOLVED, complete=False)


def _dispute(event: StripeEvent, _grace: timedelta) -> Told:
    if refunds.is_inquiry(read(Dispute, event)):
        return Told(remark=refunds.INQUIRY)
    return Told(remark=refunds.UNRESOLVED_DISPUTE, complete=False)


READERS: Mapping[str, Reader] = {
    "checkout.session.completed": _checkout,
    "checkout.session.async_payment_succeeded": _checkout,
    "checkout.session.async_payment_failed": _lost_checkout,
    "checkout.session.expired": _lost_checkout,
    "customer.subscription.created": _subscription,
    "customer.subscription.updated": _subscription,
    "customer.subscription.deleted": _subscription,
    "customer.subscription.paused": _subscription,
    "customer.subscription.resumed": _subscription,
    "customer.subscription.trial_will_end": _subscription,
    "invoice.paid": _invoice,
    "invoice.payment_failed": _unpaid_invoice,
    "invoice.payment_action_required": _unpaid_invoice,
    "charge.refunded": _charge,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.closed": _dispute,
}


def told_by(event: StripeEvent, *, grace: timedelta) -> Told:
    """Tell what an event says by itself."""
    reader = READERS.get(event.type)
    if reader is None:
        return Told(remark=NOT_OURS)
    try:
        return reader(event, grace)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        return Told(remark=f"{UNREADABLE}: {place}"[:200], complete=False)


def needs_lookup(event: StripeEvent) -> bool:
    """Tell whether Stripe has to be asked for what the event leaves out."""
    return not told_by(event, grace=timedelta()).complete


def news_of(event: StripeEvent, told: Told, proof: AuthMode, *, at: datetime) -> StoreNews:
    """Put what an event told into news that count as of ``at``."""
    return StoreNews(
        source=Source.WEB,
        environment=event.environment,
        event_id=event.id,
        event_type=event.type,
        event_time=at,
        auth_mode=proof,
        buyer=told.buyer,
        standings=told.standings,
        payments=told.payments,
        refunds=told.refunds,
        remark=told.remark,
    )


def read(kind: type[Object], event: StripeEvent) -> Object:
    """Read the object that an event is about.

    Raises:
        ValidationError: it is none of that kind.
    """
    return kind.model_validate(event.body)
