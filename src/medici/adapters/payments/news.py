"""What any store tells about purchases, in one shape. Amounts are in the currency's minor unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from medici.kernel.environment import Environment


class Source(StrEnum):
    """Where a purchase was made, or ``manual`` for one that an operator gave."""

    IOS = "ios"
    ANDROID = "android"
    WEB = "web"
    MANUAL = "manual"


class PurchaseState(StrEnum):
    """How a purchase stands."""

    PENDING = "pending"
    TRIALING = "trialing"
    ACTIVE = "active"
    GRACE = "grace"
    BILLING_RETRY = "billing_retry"
    PAUSED = "paused"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Ownership(StrEnum):
    """Whether the holder bought it, or shares what a relative bought."""

    PURCHASED = "purchased"
    FAMILY = "family"


class AuthMode(StrEnum):
    """What proved that a message is the store's."""

    NATIVE = "native"  # the store's own signature or token
    RELAY = "relay"  # a shared secret, from whoever passes messages on
    OPEN = "open"  # a relay without any secret, outside production
    FETCHED = "fetched"  # the store's answer to our own question
    CLIENT = "client"  # a customer handed in what the store had signed
    OPERATOR = "operator"


class Paid(StrEnum):
    """What a payment was for."""

    PERIOD = "period"
    TRIAL = "trial"  # a period that costs nothing
    ONCE = "once"  # a pack, or anything else that is bought one time


class Unset(StrEnum):
    """Says that a message leaves a date as it is; None would clear it."""

    KEPT = "kept"


KEPT = Unset.KEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one purchase lineage stood when the store said so.

    ``lineage_id`` is what stays the same over renewals: Apple's original transaction, the root of
    Google's chain of tokens, Stripe's subscription. A date that is ``KEPT`` stays what an earlier
    message of the lineage made it. ``transaction_id`` is the payment of the current period.
    ``handle`` is what the store wants to be asked by, where that is not the lineage's id;
    ``follows`` is the handle that this one took the place of. One that is ``over_unless_dated`` is
    active until the end that is known, by this message or an earlier one, and without one it is
    over already.
    """

    lineage_id: str
    product_id: str
    state: PurchaseState
    handle: str | None = None
    follows: str | None = None
    ownership: Ownership = Ownership.PURCHASED
    started_at: datetime | None = None
    period_start: datetime | None = None
    expires_at: datetime | Unset | None = None
    grace_expires_at: datetime | None = None
    renews_at: datetime | Unset | None = None
    resumes_at: datetime | None = None  # of a paused one
    lifetime: bool = False
    will_renew: bool = False
    pending_product_id: str | None = None  # what the next renewal changes to
    transaction_id: str | None = None
    cancel_reason: str | None = None
    over_unless_dated: bool = False
    list_price_minor: int | None = None
    currency: str | None = None
    period: str | None = None  # such as P1M
    details: Mapping[str, object] = field(default_factory=dict)  # kept and shown, never read


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One paid period, one trial or one purchase of a pack; ``transaction_id`` is booked once.

    ``amount_minor`` None means that the store did not say what was paid; it counts as no revenue.
    A ``receipt`` is what the store wants to hear back once the customer has what they paid for.
    """

    transaction_id: str
    product_id: str
    paid: Paid
    paid_at: datetime
    lineage_id: str | None = None
    ownership: Ownership = Ownership.PURCHASED
    amount_minor: int | None = None
    currency: str | None = None
    quantity: int = 1
    share: Fraction = Fraction(1)  # of a full period's credits, where a change is prorated
    period_start: datetime | None = None
    period_end: datetime | None = None
    receipt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money that went back for one payment, or came back from it where ``reversed``.

    ``refund_id`` is booked once. ``share`` is how much of the payment this refund gives back, 0 to
    1. ``ends_access`` says that the period it paid for is over as well. Of several words about one
    ``refund_id``, the newest by ``at`` counts.
    """

    refund_id: str
    transaction_id: str
    at: datetime
    share: Fraction = Fraction(1)
    amount_minor: int | None = None
    reversed: bool = False
    ends_access: bool = True
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """What a message says about who bought; all of it may be missing.

    ``account_token`` is the random id that we gave the app for this user. ``user_id`` is our own
    id as the checkout or the relay carried it; only a message that we may trust holds one.
    """

    account_token: str | None = None
    user_id: str | None = None
    customer_id: str | None = None  # the store's
    checkout_id: str | None = None  # ours, of the checkout that led here


NOBODY = Buyer()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreNews:
    """Everything that one message tells. ``event_id`` is unique per source and environment.

    ``event_time`` orders the messages of a lineage, whenever they arrive. A message without
    standing, payment or refund is kept and ignored; ``remark`` then says why. ``asks_use_of`` is
    the payment that a customer wants back, where the store asks how much of it was used.
    """

    source: Source
    environment: Environment
    event_id: str
    event_type: str
    event_time: datetime
    auth_mode: AuthMode
    buyer: Buyer = NOBODY
    standings: tuple[Standing, ...] = ()
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    asks_use_of: str | None = None
    remark: str | None = None
