"""How an Apple subscription stands: computed from what is proven, never from a message's type."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from appstoreserverlibrary.models.JWSRenewalInfoDecodedPayload import JWSRenewalInfoDecodedPayload
from appstoreserverlibrary.models.JWSTransactionDecodedPayload import JWSTransactionDecodedPayload

from medici.adapters.payments.apple.verifying import moment
from medici.adapters.payments.currencies import minor_units
from medici.adapters.payments.errors import MessageUnreadable
from medici.adapters.payments.news import KEPT, Ownership, PurchaseState, Standing, Unset
from medici.adapters.payments.periods import period_between
from medici.kernel.environment import Environment

SUBSCRIPTION, NON_CONSUMABLE = "Auto-Renewable Subscription", "Non-Consumable"
FAMILY_REVOKE = "FAMILY_REVOKE"
ACTIVE, REVOKED = 1, 5
STATUSES = {
    2: PurchaseState.EXPIRED,
    3: PurchaseState.BILLING_RETRY,
    4: PurchaseState.GRACE,
    REVOKED: PurchaseState.REVOKED,
}
MAY_RENEW = frozenset(
    {
        PurchaseState.TRIALING,
        PurchaseState.ACTIVE,
        PurchaseState.GRACE,
        PurchaseState.BILLING_RETRY,
    }
)
WHY_EXPIRED = {
    1: "canceled",
    2: "billing_error",
    3: "price_increase_refused",
    4: "product_unavailable",
    5: "other",
}
INTRODUCTORY = 1  # the offer type of a first period


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What Apple has signed about one purchase. ``status`` is its number for the subscription.

    ``at`` is when all of it was so.
    """

    transaction: JWSTransactionDecodedPayload
    renewal: JWSRenewalInfoDecodedPayload | None = None
    status: int | None = None
    at: datetime

    @property
    def transaction_id(self) -> str:
        return needed(self.transaction.transactionId, "transactionId")

    @property
    def lineage_id(self) -> str:
        return needed(self.transaction.originalTransactionId, "originalTransactionId")

    @property
    def product_id(self) -> str:
        return needed(self.transaction.productId, "productId")

    @property
    def is_subscription(self) -> bool:
        return self.transaction.rawType == SUBSCRIPTION

    @property
    def is_trial(self) -> bool:
        """Tell whether its period costs nothing; older words say so by offer and price alone."""
        discount = self.transaction.rawOfferDiscountType
        if discount is not None:
            return discount == "FREE_TRIAL"
        return self.transaction.rawOfferType == INTRODUCTORY and self.transaction.price == 0

    @property
    def left_the_family(self) -> bool:
        return self.transaction.rawRevocationType == FAMILY_REVOKE

    @property
    def was_refunded(self) -> bool:
        """Tell whether money went back; of a period that was upgraded, only a reason says so."""
        transaction = self.transaction
        if transaction.revocationDate is None or self.left_the_family:
            return False
        explained = transaction.rawRevocationReason is not None or transaction.rawRevocationType
        return bool(explained) or not transaction.isUpgraded

    @property
    def ownership(self) -> Ownership:
        family = self.transaction.rawInAppOwnershipType == "FAMILY_SHARED"
        return Ownership.FAMILY if family else Ownership.PURCHASED

    @property
    def environment(self) -> Environment:
        """Return where money is real; the verifier has let no third environment pass."""
        real = self.transaction.rawEnvironment == "Production"
        return Environment.PRODUCTION if real else Environment.SANDBOX

    @property
    def runs(self) -> bool:
        """Tell whether the period of the transaction was not over."""
        ends_at = moment(self.transaction.expiresDate)
        return ends_at is not None and ends_at > self.at


def needed(value: str | None, name: str) -> str:
    """Return what no message can do without."""
    if not value:
        raise MessageUnreadable(f"{name} is missing")
    return value


def amount_minor(milliunits: int | None, currency: str | None) -> int | None:
    """Turn Apple's thousandths of a unit into minor units; None if no price was named."""
    if milliunits is None or not currency:
        return None
    return minor_units(Fraction(milliunits, 1000), currency)


def state_of(proven: Proven) -> PurchaseState:
    """Believe the status; without one that we know, judge by dates as of when it was signed."""
    running = PurchaseState.TRIALING if proven.is_trial else PurchaseState.ACTIVE
    if proven.status == ACTIVE:
        return running
    if proven.status in STATUSES:
        return STATUSES[proven.status]
    if proven.transaction.revocationDate is not None:
        return PurchaseState.REVOKED
    return running if proven.runs else _overdue(proven)


def _overdue(proven: Proven) -> PurchaseState:
    grace_ends_at = _grace_end(proven)
    if grace_ends_at is not None and grace_ends_at > proven.at:
        return PurchaseState.GRACE
    retried = proven.renewal is not None and proven.renewal.isInBillingRetryPeriod
    return PurchaseState.BILLING_RETRY if retried else PurchaseState.EXPIRED


def standing_of(proven: Proven, details: Mapping[str, object]) -> Standing:
    """Describe the subscription; ``details`` are kept beside what Apple's words hold themselves."""
    transaction, state = proven.transaction, state_of(proven)
    will_renew = state in MAY_RENEW and _auto_renews(proven)
    start, end = moment(transaction.purchaseDate), moment(transaction.expiresDate)
    price, currency = _list_price(proven)
    return Standing(
        lineage_id=proven.lineage_id,
        product_id=proven.product_id,
        state=state,
        ownership=proven.ownership,
        started_at=moment(transaction.originalPurchaseDate),
        period_start=start,
        expires_at=end,
        grace_expires_at=_grace_end(proven) if state is PurchaseState.GRACE else None,
        renews_at=_renews_at(proven, will_renew=will_renew),
        will_renew=will_renew,
        pending_product_id=_pending_product(proven) if will_renew else None,
        transaction_id=proven.transaction_id,
        cancel_reason=_cancel_reason(proven, state),
        list_price_minor=amount_minor(price, currency),
        currency=currency,
        period=None if proven.is_trial else period_between(start, end),
        details={**details, **_raw_values(proven)},
    )


def lifetime_standing(proven: Proven, details: Mapping[str, object]) -> Standing:
    """Describe something bought once for good."""
    revoked = proven.transaction.revocationDate is not None
    return Standing(
        lineage_id=proven.lineage_id,
        product_id=proven.product_id,
        state=PurchaseState.REVOKED if revoked else PurchaseState.ACTIVE,
        ownership=proven.ownership,
        started_at=moment(proven.transaction.originalPurchaseDate),
        lifetime=True,
        transaction_id=proven.transaction_id,
        cancel_reason=_cancel_reason(proven, PurchaseState.REVOKED) if revoked else None,
        list_price_minor=amount_minor(proven.transaction.price, proven.transaction.currency),
        currency=proven.transaction.currency,
        details={**details, **_raw_values(proven)},
    )


def _auto_renews(proven: Proven) -> bool:
    """Tell whether it goes on by itself, as subscriptions do until somebody ends them."""
    return proven.renewal is None or proven.renewal.rawAutoRenewStatus != 0


def _grace_end(proven: Proven) -> datetime | None:
    return moment(proven.renewal.gracePeriodExpiresDate) if proven.renewal else None


def _renews_at(proven: Proven, *, will_renew: bool) -> datetime | Unset | None:
    if not will_renew:
        return None
    return KEPT if proven.renewal is None else moment(proven.renewal.renewalDate)


def _pending_product(proven: Proven) -> str | None:
    following = proven.renewal.autoRenewProductId if proven.renewal else None
    return following if following != proven.product_id else None


def _cancel_reason(proven: Proven, state: PurchaseState) -> str | None:
    if state is PurchaseState.REVOKED:
        return "family_revoked" if proven.left_the_family else "refunded"
    intent = proven.renewal.rawExpirationIntent if proven.renewal else None
    return None if intent is None else WHY_EXPIRED.get(intent, f"intent_{intent}")


def _list_price(proven: Proven) -> tuple[int | None, str | None]:
    """Return what the next period costs, else what this one did."""
    if proven.renewal is not None and proven.renewal.renewalPrice is not None:
        return proven.renewal.renewalPrice, proven.renewal.currency
    return proven.transaction.price, proven.transaction.currency


def _raw_values(proven: Proven) -> Mapping[str, object]:
    """Keep what is shown to operators just as Apple wrote it, values unknown to us too."""
    transaction, renewal = proven.transaction, proven.renewal
    values = {
        "status": proven.status,
        "offer_type": transaction.rawOfferType,
        "offer_discount_type": transaction.rawOfferDiscountType,
        "offer_identifier": transaction.offerIdentifier,
        "transaction_reason": transaction.rawTransactionReason,
        "billing_plan_type": transaction.rawBillingPlanType,
        "storefront": transaction.storefront,
        "revocation_type": transaction.rawRevocationType,
        "price_increase_status": renewal.rawPriceIncreaseStatus if renewal else None,
    }
    return {name: value for name, value in values.items() if value is not None}
