"""How a subscription's token stands, as Google would answer."""

from datetime import UTC, datetime
from typing import Any

from medici.adapters.payments.news import (
    PurchaseState,
)
from tests.support.google import ACCOUNT

State = PurchaseState
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
END = datetime(2026, 12, 1, 12, tzinfo=UTC)
ORDER = "GPA.3300-1111-2222-33333"


def item(**more: Any) -> dict[str, Any]:
    """Return the one item of a paid month."""
    return {
        "productId": "pro_monthly_android",
        "expiryTime": "2026-12-01T12:00:00.123456789Z",
        "latestSuccessfulOrderId": ORDER,
        "autoRenewingPlan": {
            "autoRenewEnabled": True,
            "recurringPrice": {"currencyCode": "USD", "units": "14", "nanos": 990000000},
        },
        "offerDetails": {"basePlanId": "monthly"},
        "offerPhase": {"basePrice": {}},
        **more,
    }


def bought(
    state: str = "ACTIVE", *, items: list[dict[str, Any]] | None = None, **more: Any
) -> dict[str, Any]:
    """Return how a token stands; what is None is left out."""
    whole = {
        "subscriptionState": f"SUBSCRIPTION_STATE_{state}",
        "startTime": "2026-11-01T12:00:00Z",
        "regionCode": "US",
        "acknowledgementState": "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED",
        "externalAccountIdentifiers": {"obfuscatedExternalAccountId": ACCOUNT.upper()},
        "lineItems": [item()] if items is None else items,
        **more,
    }
    return {name: value for name, value in whole.items() if value is not None}
