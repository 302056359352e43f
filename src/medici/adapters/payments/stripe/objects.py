"""What we read of Stripe's objects, as they were before the API version 2025-03-31 and since.

A property answers for both shapes; the fields of one shape alone are marked *old* or *new*.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field

from medici.adapters.payments.stripe.fields import (
    Count,
    Currency,
    Id,
    Metadata,
    Minor,
    Moment,
    Part,
    Ref,
    whole,
)
from medici.adapters.payments.stripe.price import Price

MID_PERIOD = "subscription_update"  # the reason of an invoice for a change between renewals


class SubscriptionItem(Part):
    price: Annotated[Price, BeforeValidator(whole)]
    quantity: Count | None = None
    current_period_start: Moment | None = None  # new
    current_period_end: Moment | None = None  # new


class Items(Part):
    data: tuple[SubscriptionItem, ...] = ()


class Cancellation(Part):
    reason: str | None = None


class Pause(Part):
    resumes_at: Moment | None = None


class PhaseItem(Part):
    price: Annotated[Price, BeforeValidator(whole)]


class Phase(Part):
    start_date: Moment
    items: tuple[PhaseItem, ...] = ()


class Schedule(Part):
    id: Id
    phases: tuple[Phase, ...] = ()


class InvoiceName(Part):
    id: Id
    billing_reason: str | None = None


class Subscription(Part):
    id: Id
    status: str
    items: Items
    customer: Ref | None = None
    metadata: Metadata = Field(default_factory=dict)
    start_date: Moment | None = None
    current_period_start: Moment | None = None  # old
    current_period_end: Moment | None = None  # old
    cancel_at: Moment | None = None
    cancel_at_period_end: bool = False
    canceled_at: Moment | None = None
    ended_at: Moment | None = None
    cancellation_details: Cancellation | None = None
    pause_collection: Pause | None = None
    schedule: Annotated[Schedule | None, BeforeValidator(whole)] = None
    latest_invoice: Annotated[InvoiceName | None, BeforeValidator(whole)] = None


class Period(Part):
    start: Moment
    end: Moment


class PriceDetails(Part):
    price: Annotated[Price, BeforeValidator(whole)]


class Pricing(Part):
    price_details: PriceDetails | None = None


class Credited(Part):
    invoice: Ref


class ProrationDetails(Part):
    credited_items: Credited | None = None


class LineDetails(Part):
    proration: bool = False
    proration_details: ProrationDetails | None = None


class LineParent(Part):
    subscription_item_details: LineDetails | None = None
    invoice_item_details: LineDetails | None = None

    @property
    def details(self) -> LineDetails | None:
        return self.subscription_item_details or self.invoice_item_details


class Line(Part):
    """One line of an invoice. Its period is what it pays for."""

    amount: Minor
    period: Period
    quantity: Count | None = None
    price: Price | None = None  # old
    pricing: Pricing | None = None  # new
    type: str | None = None  # old
    proration: bool = False  # old
    proration_details: ProrationDetails | None = None  # old
    parent: LineParent | None = None  # new

    @property
    def sold(self) -> Price | None:
        details = self.pricing.price_details if self.pricing else None
        return self.price or (details.price if details else None)

    @property
    def is_extra(self) -> bool:
        """Tell whether it is a fee or the like beside the subscription's own items."""
        return self.type == "invoiceitem" or bool(self.parent and self.parent.invoice_item_details)

    @property
    def is_proration(self) -> bool:
        details = self.parent.details if self.parent else None
        return self.proration or bool(details and details.proration)

    @property
    def credited_invoice(self) -> str | None:
        """Return the invoice that this line takes something back from."""
        details = self.parent.details if self.parent else None
        proration = self.proration_details or (details.proration_details if details else None)
        credited = proration.credited_items if proration else None
        return credited.invoice if credited else None


class Lines(Part):
    data: tuple[Line, ...] = ()


class SubscriptionDetails(Part):
    subscription: Ref | None = None
    metadata: Metadata = Field(default_factory=dict)


class InvoiceParent(Part):
    subscription_details: SubscriptionDetails | None = None


class StatusTransitions(Part):
    paid_at: Moment | None = None


class Invoice(InvoiceName):
    amount_paid: Minor
    currency: Currency
    lines: Lines
    status: str | None = None
    customer: Ref | None = None
    status_transitions: StatusTransitions | None = None
    subscription: Ref | None = None  # old
    subscription_details: SubscriptionDetails | None = None  # old
    parent: InvoiceParent | None = None  # new

    @property
    def subscription_id(self) -> str | None:
        details = self.parent.subscription_details if self.parent else None
        return self.subscription or (details.subscription if details else None)

    @property
    def subscription_metadata(self) -> dict[str, str]:
        details = self.parent.subscription_details if self.parent else None
        found = details or self.subscription_details
        return found.metadata if found else {}


class SessionLine(Part):
    price: Annotated[Price | None, BeforeValidator(whole)] = None
    quantity: Count | None = None


class SessionLines(Part):
    data: tuple[SessionLine, ...] = ()


class CheckoutSession(Part):
    id: Id
    mode: str
    status: str | None = None
    payment_status: str
    url: str | None = None
    client_reference_id: str | None = None
    customer: Ref | None = None
    subscription: Ref | None = None
    payment_intent: Ref | None = None
    metadata: Metadata = Field(default_factory=dict)
    amount_total: Minor | None = None
    currency: Currency | None = None
    expires_at: Moment | None = None
    line_items: SessionLines | None = None  # only where it was asked for


class StripeRefund(Part):
    id: Id
    amount: Minor
    status: str | None = None
    reason: str | None = None
    charge: Ref | None = None
    payment_intent: Ref | None = None


class Refunds(Part):
    data: tuple[StripeRefund, ...] = ()
    has_more: bool = False


class Charge(Part):
    id: Id
    amount: Minor
    payment_intent: Ref | None = None
    invoice: Ref | None = None  # old
    customer: Ref | None = None
    refunds: Refunds | None = None  # old


class Dispute(Part):
    id: Id
    amount: Minor
    status: str
    charge: Ref | None = None
    payment_intent: Ref | None = None
