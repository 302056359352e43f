"""What other systems can be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class NoticeType(StrEnum):
    """What happened."""

    ENTITLEMENT_ACTIVATED = "entitlement.activated"
    ENTITLEMENT_CHANGED = "entitlement.changed"
    ENTITLEMENT_EXPIRED = "entitlement.expired"
    ENTITLEMENT_TRANSFERRED = "entitlement.transferred"
    SUBSCRIPTION_PAST_DUE = "subscription.past_due"
    TRIAL_WILL_END = "trial.will_end"
    PURCHASE_REFUNDED = "purchase.refunded"
    CREDITS_GRANTED = "credits.granted"
    CREDITS_LOW = "credits.low"
    CREDITS_EXPIRING = "credits.expiring"
    CREDITS_EXPIRED = "credits.expired"
    EXPERIMENT_PAUSED = "experiment.paused"  # by a guardrail
    ENDPOINT_DISABLED = "endpoint.disabled"  # told to the other endpoints
    TEST = "endpoint.test"  # told to one endpoint, on an operator's word


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that happened. ``data`` is the whole state of what it is about, as JSON.

    ``subject`` is whom it is about, such as ``user:ada``. Of notices with the same ``key`` only the
    first is sent.
    """

    type: NoticeType
    subject: str
    data: Mapping[str, object]
    key: str | None = None
