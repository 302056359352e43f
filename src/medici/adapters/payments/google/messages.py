"""What a push message says: that something about a purchase changed."""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import AliasChoices, BaseModel, Field, ValidationError

from medici.adapters.payments.errors import MessageUnreadable
from medici.adapters.payments.news import AuthMode

REVOKED = 12
SUBSCRIPTION_TYPES = {
    1: "RECOVERED",
    2: "RENEWED",
    3: "CANCELED",
    4: "PURCHASED",
    5: "ON_HOLD",
    6: "IN_GRACE_PERIOD",
    7: "RESTARTED",
    8: "PRICE_CHANGE_CONFIRMED",
    9: "DEFERRED",
    10: "PAUSED",
    11: "PAUSE_SCHEDULE_CHANGED",
    REVOKED: "REVOKED",
    13: "EXPIRED",
    17: "ITEMS_CHANGED",
    18: "CANCELLATION_SCHEDULED",
    19: "PRICE_CHANGE_UPDATED",
    20: "PENDING_PURCHASE_CANCELED",
    22: "PRICE_STEP_UP_CONSENT_UPDATED",
}
PRODUCT_TYPES = {1: "PURCHASED", 2: "CANCELED"}


class MessageKind(StrEnum):
    """Which part of a message holds what it is about."""

    SUBSCRIPTION = "subscription"
    PRODUCT = "product"
    VOIDED = "voided"
    REFUND_REVIEW = "refund_review"
    TEST = "test"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided:
    """Money of one order that went back; ``partial`` where only some of its units did."""

    order_id: str
    is_subscription: bool
    partial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayMessage:
    """One message. ``token`` names the purchase, ``number`` is Google's for what happened."""

    event_id: str
    event_type: str  # such as subscription.RENEWED, or subscription.99
    event_time: datetime
    kind: MessageKind
    package: str
    auth_mode: AuthMode
    token: str | None = None
    product_id: str | None = None
    number: int | None = None
    voided: Voided | None = None


class Subscription(BaseModel):
    number: int = Field(alias="notificationType")
    token: str = Field(alias="purchaseToken", min_length=1)
    product_id: str | None = Field(None, alias="subscriptionId")


class Product(BaseModel):
    number: int = Field(alias="notificationType")
    token: str = Field(alias="purchaseToken", min_length=1)
    product_id: str | None = Field(None, alias="sku")


class VoidedPurchase(BaseModel):
    token: str = Field(alias="purchaseToken", min_length=1)
    order_id: str = Field(alias="orderId", min_length=1)
    product_type: int = Field(1, alias="productType")
    refund_type: int = Field(1, alias="refundType")


class Notification(BaseModel):
    package: str = Field(alias="packageName")
    milliseconds: int = Field(alias="eventTimeMillis")
    subscription: Subscription | None = Field(None, alias="subscriptionNotification")
    product: Product | None = Field(None, alias="oneTimeProductNotification")
    voided: VoidedPurchase | None = Field(None, alias="voidedPurchaseNotification")
    review: dict[str, object] | None = Field(None, alias="pendingRefundReviewNotification")
    test: dict[str, object] | None = Field(None, alias="testNotification")


class Pushed(BaseModel):
    data: str
    message_id: str = Field(
        validation_alias=AliasChoices("messageId", "message_id"), min_length=1, max_length=200
    )


class Envelope(BaseModel):
    message: Pushed


def read_message(raw: bytes, proof: AuthMode) -> PlayMessage:
    """Read the body of a push.

    Raises:
        MessageUnreadable: it is no message about purchases.
    """
    try:
        pushed = Envelope.model_validate_json(raw).message
        notification = Notification.model_validate_json(_decoded(pushed.data))
    except ValidationError as error:
        raise MessageUnreadable(_first_problem(error)) from error
    return _message(pushed.message_id, notification, proof)


def _message(event_id: str, told: Notification, proof: AuthMode) -> PlayMessage:
    kind = _kind(told)
    part = told.subscription or told.product
    number = part.number if part else None
    return PlayMessage(
        event_id=event_id,
        event_type=_event_type(kind, number),
        event_time=_moment(told.milliseconds),
        kind=kind,
        package=told.package,
        auth_mode=proof,
        token=part.token if part else (told.voided.token if told.voided else None),
        product_id=part.product_id if part else None,
        number=number,
        voided=_voided(told.voided) if told.voided else None,
    )


def _kind(told: Notification) -> MessageKind:
    parts = {
        MessageKind.SUBSCRIPTION: told.subscription,
        MessageKind.PRODUCT: told.product,
        MessageKind.VOIDED: told.voided,
        MessageKind.REFUND_REVIEW: told.review,
        MessageKind.TEST: told.test,
    }
    present = [kind for kind, part in parts.items() if part is not None]
    if len(present) > 1:
        raise MessageUnreadable("the message is about several things")
    return present[0] if present else MessageKind.UNKNOWN


def _event_type(kind: MessageKind, number: int | None) -> str:
    names = PRODUCT_TYPES if kind is MessageKind.PRODUCT else SUBSCRIPTION_TYPES
    return kind.value if number is None else f"{kind}.{names.get(number, number)}"


def _voided(told: VoidedPurchase) -> Voided:
    return Voided(
        order_id=told.order_id,
        is_subscription=told.product_type == 1,
        partial=told.refund_type == 2,
    )


def _decoded(data: str) -> bytes:
    """Read base64 of either alphabet, padded or not."""
    try:
        plain = data.translate(str.maketrans("-_", "+/")).rstrip("=")
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MessageUnreadable("the message's data is no base64") from error


def _moment(milliseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise MessageUnreadable("eventTimeMillis is out of range") from error


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
