"""What we read of Stripe's answers alone; they come in the shape of the version that we ask for."""

from typing import Annotated

from pydantic import BeforeValidator

from medici.adapters.payments.stripe.event import Envelope
from medici.adapters.payments.stripe.fields import Id, Minor, Part, Ref, whole
from medici.adapters.payments.stripe.objects import Invoice, Subscription
from medici.adapters.payments.stripe.price import Price


class Named(Part):
    id: Id


class MoneyMoved(Named):
    """What a refund and a dispute have in common."""

    charge: Ref | None = None
    payment_intent: Ref | None = None


class WholeSubscription(Subscription):
    latest_invoice: Invoice | None = None


class PaidInvoice(Named):
    amount_paid: Minor = 0


class Payment(Part):
    charge: Ref | None = None
    payment_intent: Ref | None = None


class InvoicePayment(Part):
    invoice: Annotated[PaidInvoice, BeforeValidator(whole)]
    payment: Payment


class InvoicePayments(Part):
    data: tuple[InvoicePayment, ...]


class PaymentIntent(Named):
    amount_received: Minor


class EventPage(Part):
    data: tuple[Envelope, ...]
    has_more: bool


class PricePage(Part):
    data: tuple[Price, ...]


class Portal(Part):
    url: str
