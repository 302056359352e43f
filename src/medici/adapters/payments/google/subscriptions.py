"""Reading how a subscription's token stands into news."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from medici.adapters.payments.google.fetched import buyer, event_id
from medici.adapters.payments.google.handles import Bought, Duty, Handle, Receipt, lineage_of
from medici.adapters.payments.google.resources import LineItem, SubscriptionPurchase
from medici.adapters.payments.news import (
    AuthMode,
    Paid,
    Payment,
    PurchaseState,
    Source,
    Standing,
    StoreNews,
)
from medici.kernel.environment import Environment

PREFIX = "SUBSCRIPTION_STATE_"
STATES: Mapping[str, PurchaseState] = {
    "PENDING": PurchaseState.PENDING,
    "ACTIVE": PurchaseState.ACTIVE,
    "IN_GRACE_PERIOD": PurchaseState.GRACE,
    "ON_HOLD": PurchaseState.BILLING_RETRY,
    "PAUSED": PurchaseState.PAUSED,
    "CANCELED": PurchaseState.ACTIVE,
    "EXPIRED": PurchaseState.EXPIRED,
    "PENDING_PURCHASE_CANCELED": PurchaseState.EXPIRED,
}
# States of a token that nothing was paid for; one that it was to replace goes on meanwhile.
UNPAID = frozenset({"PENDING", "PENDING_PURCHASE_CANCELED"})
OVERDUE = frozenset({"IN_GRACE_PERIOD", "ON_HOLD"})
ENDING = frozenset({"CANCELED", "EXPIRED", *UNPAID})
UNACKNOWLEDGED = "ACKNOWLEDGEMENT_STATE_PENDING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A token's answer; ``root`` is the first token of its chain."""

    handle: Handle
    purchase: SubscriptionPurchase
    root: str
    now: datetime

    @property
    def state(self) -> str:
        """Return Google's word for the state, without what all of them begin with."""
        return self.purchase.subscription_state.removeprefix(PREFIX)

    @property
    def environment(self) -> Environment:
        pretended = self.purchase.test_purchase is not None
        return Environment.SANDBOX if pretended else Environment.PRODUCTION

    def lineage_id(self, position: int) -> str:
        """Return the lineage of an item; one token may hold more than one subscription."""
        root = lineage_of(self.root)
        return root if position == 0 else f"{root}#{position}"


def is_unpaid(purchase: SubscriptionPurchase) -> bool:
    """Tell whether nothing has been paid for this token, as yet or for good."""
    return purchase.subscription_state.removeprefix(PREFIX) in UNPAID


def read_subscription(fetched: Fetched) -> StoreNews:
    """Tell how the token stands and what was paid for it last."""
    purchase = fetched.purchase
    account = purchase.external_account_identifiers
    remark = _remark(fetched)
    items = tuple(enumerate(purchase.line_items))
    return StoreNews(
        source=Source.ANDROID,
        environment=fetched.environment,
        event_id=event_id(fetched.handle.token, purchase, fetched.now),
        event_type=f"subscription.{fetched.state}"[:128],
        event_time=fetched.now,
        auth_mode=AuthMode.FETCHED,
        buyer=buyer(account.obfuscated_external_account_id if account else None),
        standings=() if remark else tuple(_standing(fetched, *item) for item in items),
        payments=tuple(
            _payment(fetched, position, item, order)
            for position, item in items
            if (order := item.latest_successful_order_id)
        ),
        remark=remark,
    )


def taken_away(news: StoreNews) -> StoreNews:
    """Tell that what has ended was revoked; Google says so in its message alone."""
    standings = tuple(_revoked(one) for one in news.standings)
    if standings == news.standings:
        return news
    return replace(news, event_id=f"{news.event_id}:revoked", standings=standings)


def _remark(fetched: Fetched) -> str | None:
    if fetched.state not in STATES:
        return f"unknown state {fetched.purchase.subscription_state}"
    context = fetched.purchase.canceled_state_context
    if context is not None and context.replacement_cancellation is not None:
        return "replaced: the purchase that took its place speaks for both"
    return None if fetched.purchase.line_items else "a purchase of nothing"


def _standing(fetched: Fetched, position: int, item: LineItem) -> Standing:
    purchase, state = fetched.purchase, _state(fetched, item)
    plan, follows = item.auto_renewing_plan, purchase.linked_purchase_token
    renews = plan is not None and plan.auto_renew_enabled and fetched.state not in ENDING
    price = plan.recurring_price if plan else None
    paused, canceled = purchase.paused_state_context, purchase.canceled_state_context
    following = item.deferred_item_replacement
    return Standing(
        lineage_id=fetched.lineage_id(position),
        product_id=item.product_id,
        state=state,
        handle=str(fetched.handle),
        follows=str(_subscription(fetched, follows)) if follows else None,
        started_at=purchase.start_time,
        expires_at=item.expiry_time,
        grace_expires_at=item.expiry_time if state is PurchaseState.GRACE else None,
        renews_at=item.expiry_time if renews else None,
        resumes_at=paused.auto_resume_time if paused else None,
        will_renew=renews,
        pending_product_id=following.product_id if following else None,
        transaction_id=item.latest_successful_order_id,
        cancel_reason=canceled.reason if canceled else None,
        list_price_minor=price.minor if price else None,
        currency=price.currency_code if price else None,
        details=_details(fetched, item),
    )


def _state(fetched: Fetched, item: LineItem) -> PurchaseState:
    state = STATES[fetched.state]
    return PurchaseState.TRIALING if state is PurchaseState.ACTIVE and item.is_trial else state


def _payment(fetched: Fetched, position: int, item: LineItem, order: str) -> Payment:
    price = item.auto_renewing_plan.recurring_price if item.auto_renewing_plan else None
    # While a renewal is overdue, the phase told of is the one that was not paid.
    told = price if item.has_plain_price and fetched.state not in OVERDUE else None
    first = ".." not in order  # renewals count on: GPA.1234..0, GPA.1234..1
    start = fetched.purchase.start_time if first else None
    return Payment(
        transaction_id=order if position == 0 else f"{order}#{position}",
        product_id=item.product_id,
        paid=Paid.TRIAL if item.is_trial else Paid.PERIOD,
        paid_at=start or fetched.now,
        lineage_id=fetched.lineage_id(position),
        amount_minor=0 if item.is_trial else (told.minor if told else None),
        currency=price.currency_code if price else None,
        period_start=start,
        period_end=item.expiry_time,
        receipt=_receipt(fetched, item) if position == 0 else None,
    )


def _receipt(fetched: Fetched, item: LineItem) -> str | None:
    if fetched.purchase.acknowledgement_state != UNACKNOWLEDGED:
        return None
    handle = fetched.handle
    return str(
        Receipt(
            duty=Duty.ACKNOWLEDGE,
            package=handle.package,
            product_id=item.product_id,
            token=handle.token,
        )
    )


def _subscription(fetched: Fetched, token: str) -> Handle:
    return Handle(bought=Bought.SUBSCRIPTION, package=fetched.handle.package, token=token)


def _revoked(standing: Standing) -> Standing:
    if standing.state is not PurchaseState.EXPIRED:
        return standing
    return replace(standing, state=PurchaseState.REVOKED, cancel_reason="revoked")


def _details(fetched: Fetched, item: LineItem) -> Mapping[str, object]:
    offer = item.offer_details
    values = {
        "state": fetched.purchase.subscription_state,
        "region": fetched.purchase.region_code,
        "base_plan_id": offer.base_plan_id if offer else None,
        "offer_id": offer.offer_id if offer else None,
    }
    return {name: value for name, value in values.items() if value is not None}
