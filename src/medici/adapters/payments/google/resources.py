"""Google's resources, as far as we read them; values that we do not know stay as they are."""

from datetime import datetime
from fractions import Fraction

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from medici.adapters.payments.currencies import minor_units

NANOS = 10**9


class Resource(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)


class Money(Resource):
    currency_code: str
    units: int = 0
    nanos: int = 0

    @property
    def minor(self) -> int:
        """Return the amount in the currency's minor unit."""
        return minor_units(self.units + Fraction(self.nanos, NANOS), self.currency_code)


class Present(Resource):
    """A part of which it counts only that it is there."""


class AutoRenewingPlan(Resource):
    auto_renew_enabled: bool = False
    recurring_price: Money | None = None


class OfferDetails(Resource):
    base_plan_id: str | None = None
    offer_id: str | None = None


class OfferPhase(Resource):
    """Which price the period has; of the four, one is there."""

    base_price: Present | None = None
    free_trial: Present | None = None
    introductory_price: Present | None = None
    proration_period: Present | None = None


class Replacement(Resource):
    product_id: str | None = None


class LineItem(Resource):
    product_id: str
    expiry_time: datetime | None = None
    latest_successful_order_id: str | None = None
    auto_renewing_plan: AutoRenewingPlan | None = None
    prepaid_plan: Present | None = None
    offer_details: OfferDetails | None = None
    offer_phase: OfferPhase | None = None
    deferred_item_replacement: Replacement | None = None

    @property
    def is_trial(self) -> bool:
        return self.offer_phase is not None and self.offer_phase.free_trial is not None

    @property
    def has_plain_price(self) -> bool:
        """Tell whether the period costs what the plan does; of other phases no price is told."""
        phase = self.offer_phase
        return phase is None or phase.base_price is not None or phase == OfferPhase()


class CanceledStateContext(Resource):
    user_initiated_cancellation: Present | None = None
    system_initiated_cancellation: Present | None = None
    developer_initiated_cancellation: Present | None = None
    replacement_cancellation: Present | None = None

    @property
    def reason(self) -> str | None:
        """Name who canceled: user, system, developer, or a purchase that took its place."""
        reasons = {
            "user": self.user_initiated_cancellation,
            "system": self.system_initiated_cancellation,
            "developer": self.developer_initiated_cancellation,
            "replaced": self.replacement_cancellation,
        }
        return next((name for name, part in reasons.items() if part is not None), None)


class PausedStateContext(Resource):
    auto_resume_time: datetime | None = None


class ExternalAccountIdentifiers(Resource):
    obfuscated_external_account_id: str | None = None


class SubscriptionPurchase(Resource):
    """How a subscription's token stands (subscriptionsv2)."""

    subscription_state: str = ""
    start_time: datetime | None = None
    region_code: str | None = None
    linked_purchase_token: str | None = None
    acknowledgement_state: str = ""
    external_account_identifiers: ExternalAccountIdentifiers | None = None
    test_purchase: Present | None = None
    canceled_state_context: CanceledStateContext | None = None
    paused_state_context: PausedStateContext | None = None
    line_items: tuple[LineItem, ...] = ()
    etag: str | None = None


class ProductOfferDetails(Resource):
    quantity: int = 1
    refundable_quantity: int | None = None
    consumption_state: str = ""


class ProductLineItem(Resource):
    product_id: str
    product_offer_details: ProductOfferDetails = ProductOfferDetails()


class PurchaseStateContext(Resource):
    purchase_state: str = ""


class ProductPurchase(Resource):
    """How the token of something bought once stands (productsv2)."""

    purchase_state_context: PurchaseStateContext = PurchaseStateContext()
    order_id: str | None = None
    obfuscated_external_account_id: str | None = None
    purchase_completion_time: datetime | None = None
    acknowledgement_state: str = ""
    test_purchase_context: Present | None = None
    product_line_item: tuple[ProductLineItem, ...] = ()
    etag: str | None = None


class VoidedPurchase(Resource):
    """One payment whose money went back. Times are in milliseconds."""

    purchase_token: str
    order_id: str
    voided_time_millis: int
    voided_source: int | None = None
    voided_reason: int | None = None
    voided_quantity: int | None = None


class TokenPagination(Resource):
    next_page_token: str | None = None


class VoidedPurchases(Resource):
    voided_purchases: tuple[VoidedPurchase, ...] = ()
    token_pagination: TokenPagination | None = None
