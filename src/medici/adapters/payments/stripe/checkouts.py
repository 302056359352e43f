"""What the end of a checkout tells: who the customer is, and a pack that was paid for."""

from datetime import datetime

from medici.adapters.payments.news import Paid, Payment
from medici.adapters.payments.stripe.buyers import buyer_of
from medici.adapters.payments.stripe.objects import CheckoutSession, SessionLine
from medici.adapters.payments.stripe.price import PRODUCT
from medici.adapters.payments.stripe.told import Told

QUANTITY = "medici_quantity"
SETTLED = frozenset({"paid", "no_payment_required"})


def told_by(session: CheckoutSession, *, at: datetime) -> Told:
    """Tell of a checkout that was completed, or whose delayed payment has come."""
    buyer = buyer_of(session.metadata, session.customer, session.client_reference_id)
    if session.mode != "payment":
        return Told(buyer=buyer, remark="a checkout links its customer; its invoices pay")
    if session.payment_status not in SETTLED:
        return Told(buyer=buyer, remark="a checkout whose payment is still to come")
    product_id = _product(session)
    if product_id is None:
        return Told(buyer=buyer, remark="a checkout of no product of ours", complete=False)
    return Told(buyer=buyer, payments=(_payment(session, product_id, at),))


def told_of_end(session: CheckoutSession) -> Told:
    """Tell of a checkout that brings nothing: it ran out, or its delayed payment failed."""
    buyer = buyer_of(session.metadata, session.customer, session.client_reference_id)
    return Told(buyer=buyer, remark="a checkout that came to nothing")


def _payment(session: CheckoutSession, product_id: str, at: datetime) -> Payment:
    return Payment(
        # Refunds name the payment intent. Where nothing was to be paid there is none.
        transaction_id=session.payment_intent or session.id,
        product_id=product_id,
        paid=Paid.ONCE,
        paid_at=at,
        amount_minor=session.amount_total,
        currency=session.currency.upper() if session.currency else None,
        quantity=_quantity(session),
    )


def _product(session: CheckoutSession) -> str | None:
    line = _line(session)
    price = line.price if line else None
    ours = (price and price.our_product) or session.metadata.get(PRODUCT)
    return ours or (price.id if price else None)


def _quantity(session: CheckoutSession) -> int:
    line = _line(session)
    if line and line.quantity:
        return line.quantity
    text = session.metadata.get(QUANTITY, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 1


def _line(session: CheckoutSession) -> SessionLine | None:
    return next(iter(session.line_items.data), None) if session.line_items else None
