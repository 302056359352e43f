"""Reading how something bought once stands, and what of its money went back, into news."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from medici.adapters.payments.google.fetched import buyer, event_id
from medici.adapters.payments.google.handles import Duty, Handle, Receipt
from medici.adapters.payments.google.resources import (
    ProductLineItem,
    ProductPurchase,
    VoidedPurchase,
)
from medici.adapters.payments.news import AuthMode, Paid, Payment, Refund, Source, StoreNews
from medici.kernel.environment import Environment

PURCHASED, CANCELED, PENDING = "PURCHASED", "CANCELLED", "PENDING"
UNCONSUMED = "CONSUMPTION_STATE_YET_TO_BE_CONSUMED"
CONSUMED = "CONSUMPTION_STATE_CONSUMED"
WHY_VOIDED: Mapping[int, str] = {
    0: "other",
    1: "remorse",
    2: "not_received",
    3: "defective",
    4: "accidental",
    5: "fraud",
    6: "friendly_fraud",
    7: "chargeback",
    8: "unacknowledged",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedProduct:
    """A token's answer."""

    handle: Handle
    purchase: ProductPurchase
    now: datetime

    @property
    def state(self) -> str:
        return self.purchase.purchase_state_context.purchase_state

    @property
    def environment(self) -> Environment:
        pretended = self.purchase.test_purchase_context is not None
        return Environment.SANDBOX if pretended else Environment.PRODUCTION


def read_product(fetched: FetchedProduct) -> StoreNews:
    """Tell what was paid for, and what of it was given back."""
    purchase, order = fetched.purchase, fetched.purchase.order_id
    items = tuple(enumerate(purchase.product_line_item)) if order else ()
    paid = fetched.state == PURCHASED
    return StoreNews(
        source=Source.ANDROID,
        environment=fetched.environment,
        event_id=event_id(fetched.handle.token, purchase, fetched.now),
        event_type=f"product.{fetched.state}"[:128],
        event_time=fetched.now,
        auth_mode=AuthMode.FETCHED,
        buyer=buyer(purchase.obfuscated_external_account_id),
        payments=tuple(_payment(fetched, *item) for item in items if paid),
        refunds=tuple(refund for item in items if (refund := _refund(fetched, *item)) is not None),
        remark=None if paid or fetched.state == CANCELED else f"the purchase is {fetched.state}",
    )


def full_refund(order_id: str, *, at: datetime, reason: str | None = None) -> Refund:
    """Return that all money of an order went back; it is the same refund whoever tells of it."""
    return Refund(
        refund_id=f"void:{order_id}", transaction_id=order_id, at=at, reason=reason or "voided"
    )


def refund_news(
    refund: Refund, *, event: str, environment: Environment, now: datetime
) -> StoreNews:
    """Tell of a refund alone."""
    return StoreNews(
        source=Source.ANDROID,
        environment=environment,
        event_id=f"{event}:{refund.transaction_id}",
        event_type=event,
        event_time=now,
        auth_mode=AuthMode.FETCHED,
        refunds=(refund,),
    )


def read_voided(voided: VoidedPurchase) -> StoreNews:
    """Read an entry of the list of payments whose money went back whole."""
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=voided.voided_time_millis)
    reason = voided.voided_reason
    why = None if reason is None else WHY_VOIDED.get(reason, f"reason_{reason}")
    refund = full_refund(voided.order_id, at=at, reason=why)
    return refund_news(refund, event="voided", environment=Environment.PRODUCTION, now=at)


def is_consumed(purchase: ProductPurchase, product_id: str) -> bool:
    """Tell whether the store has heard already that the customer has what they paid for."""
    return any(
        item.product_id == product_id and item.product_offer_details.consumption_state == CONSUMED
        for item in purchase.product_line_item
    )


def _payment(fetched: FetchedProduct, position: int, item: ProductLineItem) -> Payment:
    return Payment(
        transaction_id=_transaction(fetched, position),
        product_id=item.product_id,
        paid=Paid.ONCE,
        paid_at=fetched.purchase.purchase_completion_time or fetched.now,
        quantity=max(1, item.product_offer_details.quantity),
        receipt=_receipt(fetched, item),
    )


def _refund(fetched: FetchedProduct, position: int, item: ProductLineItem) -> Refund | None:
    """Return what went back of an item: all of a canceled one, else the units that are gone."""
    transaction_id, at = _transaction(fetched, position), fetched.now
    if fetched.state == CANCELED:
        return full_refund(transaction_id, at=at, reason="canceled")
    units, left = (
        item.product_offer_details.quantity,
        item.product_offer_details.refundable_quantity,
    )
    if fetched.state != PURCHASED or left is None or not 0 <= left < units:
        return None
    return Refund(
        refund_id=f"units:{transaction_id}",
        transaction_id=transaction_id,
        at=at,
        share=Fraction(units - left, units),
        reason="units_refunded",
    )


def _transaction(fetched: FetchedProduct, position: int) -> str:
    order = fetched.purchase.order_id or ""
    return order if position == 0 else f"{order}#{position}"


def _receipt(fetched: FetchedProduct, item: ProductLineItem) -> str | None:
    if item.product_offer_details.consumption_state != UNCONSUMED:
        return None
    handle = fetched.handle
    return str(
        Receipt(
            duty=Duty.CONSUME,
            package=handle.package,
            product_id=item.product_id,
            token=handle.token,
        )
    )
