"""Selling by Stripe's own pages: checkouts, the customer's portal, and money back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from medici.adapters.payments.errors import PurchaseUnknown
from medici.adapters.payments.stripe.answers import InvoicePayments, Portal, PricePage
from medici.adapters.payments.stripe.buyers import CHECKOUT, USER
from medici.adapters.payments.stripe.checkouts import QUANTITY
from medici.adapters.payments.stripe.errors import NotForSale
from medici.adapters.payments.stripe.forms import Fields
from medici.adapters.payments.stripe.objects import CheckoutSession, StripeRefund
from medici.adapters.payments.stripe.price import PRODUCT
from medici.adapters.payments.stripe.wire import StripeWire


class Mode(StrEnum):
    SUBSCRIPTION = "subscription"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody is about to buy. ``product_id`` is the lookup key of a price.

    ``success_url`` may hold ``{CHECKOUT_SESSION_ID}``. ``metadata`` goes along with our own ids.
    """

    mode: Mode
    product_id: str
    user_id: str
    checkout_id: str
    success_url: str
    cancel_url: str
    quantity: int = 1
    trial_days: int = 0
    promotion_codes: bool = False
    automatic_tax: bool = False
    customer_id: str | None = None
    email: str | None = None
    expires_at: datetime | None = None  # 30 minutes to 24 hours ahead
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeCheckout:
    """Every call raises StripeRefused and StoreUnavailable; a ``key`` makes it happen once."""

    wire: StripeWire

    async def create(self, wish: Wish, *, key: str) -> CheckoutSession:
        """Open a checkout; its ``url`` is where the customer pays.

        Raises:
            NotForSale: no active price has the product as its lookup key.
        """
        price_id = await self._price(wish.product_id)
        fields = _fields(wish, price_id)
        return await self.wire.post(CheckoutSession, "/checkout/sessions", fields, key=key)

    async def retrieve(self, session_id: str) -> CheckoutSession:
        return await self.wire.get(CheckoutSession, f"/checkout/sessions/{session_id}")

    async def expire(self, session_id: str, *, key: str) -> CheckoutSession:
        """Close an open checkout, so that nobody can pay it any more."""
        path = f"/checkout/sessions/{session_id}/expire"
        return await self.wire.post(CheckoutSession, path, {}, key=key)

    async def portal(self, customer_id: str, *, return_url: str, key: str) -> str:
        """Return the address at which a customer looks after their subscriptions."""
        fields = {"customer": customer_id, "return_url": return_url}
        return (await self.wire.post(Portal, "/billing_portal/sessions", fields, key=key)).url

    async def refund(
        self, transaction_id: str, *, amount_minor: int | None = None, key: str
    ) -> StripeRefund:
        """Give a transaction's money back, all that is left of it or an amount.

        Args:
            transaction_id: as in our books: an invoice, a payment intent or a charge.

        Raises:
            PurchaseUnknown: nothing was paid for that invoice.
        """
        fields: Fields = {**await self._paid_by(transaction_id), "amount": amount_minor}
        return await self.wire.post(StripeRefund, "/refunds", fields, key=key)

    async def _price(self, product_id: str) -> str:
        fields: Fields = {"lookup_keys": [product_id], "active": True, "limit": 1}
        found = await self.wire.get(PricePage, "/prices", fields)
        if not found.data:
            raise NotForSale(product_id)
        return found.data[0].id

    async def _paid_by(self, transaction_id: str) -> Mapping[str, str | None]:
        if transaction_id.startswith("pi_"):
            return {"payment_intent": transaction_id}
        if not transaction_id.startswith("in_"):
            return {"charge": transaction_id}
        fields: Fields = {"invoice": transaction_id, "status": "paid", "limit": 1}
        found = await self.wire.get(InvoicePayments, "/invoice_payments", fields)
        if not found.data:
            raise PurchaseUnknown(f"nothing was paid for {transaction_id}")
        payment = found.data[0].payment
        return {"payment_intent": payment.payment_intent, "charge": payment.charge}


def _fields(wish: Wish, price_id: str) -> Fields:
    ours = {
        **wish.metadata,
        USER: wish.user_id,
        CHECKOUT: wish.checkout_id,
        PRODUCT: wish.product_id,
        QUANTITY: str(wish.quantity),
    }
    return {
        "mode": wish.mode.value,
        "line_items": [{"price": price_id, "quantity": wish.quantity}],
        "success_url": wish.success_url,
        "cancel_url": wish.cancel_url,
        "client_reference_id": wish.user_id,
        "customer": wish.customer_id,
        "customer_email": wish.email if wish.customer_id is None else None,
        "allow_promotion_codes": wish.promotion_codes or None,
        "automatic_tax": {"enabled": True} if wish.automatic_tax else None,
        "expires_at": int(wish.expires_at.timestamp()) if wish.expires_at else None,
        "metadata": ours,
        **_kept(wish, ours),
    }


def _kept(wish: Wish, ours: Mapping[str, str]) -> Fields:
    """Have our ids copied to what lives on, whose events know nothing of the session."""
    if wish.mode is Mode.PAYMENT:
        return {
            "payment_intent_data": {"metadata": ours},
            # Else nobody could be asked for, once they come back.
            "customer_creation": "always" if wish.customer_id is None else None,
        }
    return {"subscription_data": {"metadata": ours, "trial_period_days": wish.trial_days or None}}
