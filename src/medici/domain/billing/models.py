"""The tables of purchases, of the entitlements derived from them, and of the daily reset."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.adapters.payments.news import AuthMode, Ownership, Paid, PurchaseState, Source
from medici.domain.identity.owner import OwnerKind
from medici.kernel.db.base import Base, enum_column
from medici.kernel.environment import Environment

RUNNING = text("state IN ('trialing', 'active', 'grace') AND ends_at IS NOT NULL")
RENEWING = text("state IN ('trialing', 'active', 'grace') AND renews_at IS NOT NULL")
ENDING = text("status = 'active' AND expires_at IS NOT NULL")
PAYING = text("plan_id <> 'free' AND status = 'active'")
UNCREDITED = text("credited_at IS NULL")
UNRECOVERED = text("unrecovered_credits > 0")


class EntitlementStatus(StrEnum):
    ACTIVE = "active"
    CANCELED = "canceled"
    EXPIRED = "expired"
    INACTIVE = "inactive"


class EntitlementRow(Base):
    """The entitlement of one owner, as it was last derived. The plan may be gone by now.

    What follows once it has ended is known beforehand, so that nothing has to happen at that very
    moment.
    """

    __tablename__ = "entitlements"
    __table_args__ = (
        Index(
            "ix_entitlements_ending",
            "expires_at",
            sqlite_where=ENDING,
            postgresql_where=ENDING,
        ),
        Index(
            "ix_entitlements_paying",
            "source",
            "plan_id",
            "expires_at",
            sqlite_where=PAYING,
            postgresql_where=PAYING,
        ),
    )

    owner_kind: Mapped[OwnerKind] = mapped_column(enum_column(OwnerKind), primary_key=True)
    owner_id: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str]
    status: Mapped[EntitlementStatus] = mapped_column(enum_column(EntitlementStatus))
    source: Mapped[Source] = mapped_column(enum_column(Source))
    product_id: Mapped[str | None]
    original_transaction_id: Mapped[str | None]
    renews_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    purchase_id: Mapped[UUID | None]  # which purchase won
    next_plan_id: Mapped[str | None]
    next_ends_at: Mapped[datetime | None]
    details: Mapped[dict[str, object]]
    updated_at: Mapped[datetime]


class ResetScheduleRow(Base):
    """When allowances are given anew, in UTC. There is one row at most."""

    __tablename__ = "credit_reset_schedule"
    __table_args__ = (
        CheckConstraint("id = 1", name="alone"),
        CheckConstraint("reset_hour_utc BETWEEN 0 AND 23", name="hour"),
        CheckConstraint("reset_minute_utc BETWEEN 0 AND 59", name="minute"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    enabled: Mapped[bool]
    reset_hour_utc: Mapped[int]
    reset_minute_utc: Mapped[int]
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")


class Purchase(Base):
    """One purchase lineage, folded from all that its store has told about it.

    ``plan_id`` is None where the product belongs to no plan of ours. The rest of the plan is a
    snapshot, so that a plan which leaves the catalogue lasts as long as it was paid for.
    """

    __tablename__ = "purchases"
    __table_args__ = (
        UniqueConstraint("source", "environment", "lineage_id"),
        Index("ix_purchases_owner", "user_id"),
        Index("ix_purchases_account_token", "account_token"),
        Index("ix_purchases_customer", "customer_id"),
        Index("ix_purchases_plan", "plan_id", "state"),
        Index("ix_purchases_ending", "ends_at", sqlite_where=RUNNING, postgresql_where=RUNNING),
        Index(
            "ix_purchases_renewing",
            "renews_at",
            sqlite_where=RENEWING,
            postgresql_where=RENEWING,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))  # None: unclaimed
    account_token: Mapped[str | None] = mapped_column(String(64))
    bound: Mapped[bool]  # whether the store's message named the owner
    source: Mapped[Source] = mapped_column(enum_column(Source))
    environment: Mapped[Environment] = mapped_column(enum_column(Environment))
    lineage_id: Mapped[str] = mapped_column(String(255))
    handle: Mapped[str | None]  # what the store is asked by, where that is not the lineage
    customer_id: Mapped[str | None] = mapped_column(String(255))  # what the store calls the buyer
    product_id: Mapped[str] = mapped_column(String(255))
    plan_id: Mapped[str | None] = mapped_column(String(64))
    plan_price_cents: Mapped[int | None]  # of a US dollar, a month; what purchases are ranked by
    pending_plan_id: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[PurchaseState] = mapped_column(enum_column(PurchaseState))
    ownership: Mapped[Ownership] = mapped_column(enum_column(Ownership))
    started_at: Mapped[datetime]
    period_start: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    grace_expires_at: Mapped[datetime | None]
    renews_at: Mapped[datetime | None]
    resumes_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]  # when access ends by the clock; None for never
    lifetime: Mapped[bool]
    will_renew: Mapped[bool]
    transaction_id: Mapped[str | None] = mapped_column(String(255))  # of the current period
    list_price_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    period: Mapped[str | None] = mapped_column(String(16))
    override: Mapped[bool] = mapped_column(default=False)  # an operator's word beats every store
    auth_mode: Mapped[AuthMode] = mapped_column(enum_column(AuthMode))
    watermark: Mapped[datetime]  # time of the newest message that counts
    watermark_event_id: Mapped[str] = mapped_column(String(255))
    revoked_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(64))
    details: Mapped[dict[str, object]]
    updated_at: Mapped[datetime]


class PurchaseEvent(Base):
    """How a lineage stood by one message. The purchase is the fold of these, in their order.

    ``lineage_id`` is where the message belongs by all that is known; ``told_lineage_id`` is what
    the message itself said.
    """

    __tablename__ = "purchase_events"
    __table_args__ = (
        UniqueConstraint("source", "environment", "told_lineage_id", "event_id"),
        Index("ix_purchase_events_lineage", "source", "environment", "lineage_id"),
        Index("ix_purchase_events_handle", "handle"),
        Index("ix_purchase_events_follows", "follows"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[Source] = mapped_column(enum_column(Source))
    environment: Mapped[Environment] = mapped_column(enum_column(Environment))
    lineage_id: Mapped[str] = mapped_column(String(255))
    told_lineage_id: Mapped[str] = mapped_column(String(255))
    event_id: Mapped[str] = mapped_column(String(255))
    event_time: Mapped[datetime]
    handle: Mapped[str]  # the lineage's own id where the store has no other
    follows: Mapped[str | None]
    auth_mode: Mapped[AuthMode] = mapped_column(enum_column(AuthMode))
    buyer: Mapped[dict[str, object]]
    standing: Mapped[dict[str, object]]
    recorded_at: Mapped[datetime]


class StoreTransaction(Base):
    """One paid period, trial or pack. Credits and revenue hang on this, never on messages."""

    __tablename__ = "store_transactions"
    __table_args__ = (
        UniqueConstraint("source", "environment", "transaction_id"),
        CheckConstraint("refunded_share_ppm BETWEEN 0 AND 1000000", name="refunded_share"),
        CheckConstraint("unrecovered_credits >= 0", name="unrecovered"),
        Index("ix_store_transactions_user", "user_id", "paid_at"),
        Index("ix_store_transactions_lineage", "source", "environment", "lineage_id"),
        Index("ix_store_transactions_paid_at", "paid_at"),
        Index(
            "ix_store_transactions_uncredited",
            "id",
            sqlite_where=UNCREDITED,
            postgresql_where=UNCREDITED,
        ),
        Index(
            "ix_store_transactions_unrecovered",
            "id",
            sqlite_where=UNRECOVERED,
            postgresql_where=UNRECOVERED,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[Source] = mapped_column(enum_column(Source))
    environment: Mapped[Environment] = mapped_column(enum_column(Environment))
    transaction_id: Mapped[str] = mapped_column(String(255))
    lineage_id: Mapped[str | None] = mapped_column(String(255))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    product_id: Mapped[str] = mapped_column(String(255))
    plan_id: Mapped[str | None] = mapped_column(String(64))
    pack_id: Mapped[str | None] = mapped_column(String(64))
    paid: Mapped[Paid] = mapped_column(enum_column(Paid))
    auth_mode: Mapped[AuthMode] = mapped_column(enum_column(AuthMode))
    quantity: Mapped[int]
    amount_minor: Mapped[int | None]  # None: not said, so no revenue
    currency: Mapped[str | None] = mapped_column(String(3))
    refunded_share_ppm: Mapped[int] = mapped_column(default=0)  # millionths of the payment
    refunded_minor: Mapped[int] = mapped_column(default=0)
    ends_access: Mapped[bool] = mapped_column(default=False)  # a refund took the period with it
    paid_at: Mapped[datetime]
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    ownership: Mapped[Ownership] = mapped_column(enum_column(Ownership))
    share_ppm: Mapped[int] = mapped_column(default=1_000_000)  # of a full period's credits
    credits: Mapped[int] = mapped_column(default=0)  # that it brought
    credited_at: Mapped[datetime | None]  # None: it is not known yet what to give, or to whom
    grant_id: Mapped[UUID | None] = mapped_column(ForeignKey("credit_grants.id"))
    revoked_credits: Mapped[int] = mapped_column(default=0)
    unrecovered_credits: Mapped[int] = mapped_column(default=0)  # spent before the refund came
    recovered_credits: Mapped[int] = mapped_column(default=0)  # of those, paid by later gifts
    details: Mapped[dict[str, object]]
    recorded_at: Mapped[datetime]


class StoreRefund(Base):
    """One refund, or its reversal. It may come before the payment that it belongs to."""

    __tablename__ = "store_refunds"
    __table_args__ = (
        UniqueConstraint("source", "environment", "refund_id"),
        Index("ix_store_refunds_transaction", "source", "environment", "transaction_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[Source] = mapped_column(enum_column(Source))
    environment: Mapped[Environment] = mapped_column(enum_column(Environment))
    refund_id: Mapped[str] = mapped_column(String(255))
    transaction_id: Mapped[str] = mapped_column(String(255))
    share_ppm: Mapped[int]
    amount_minor: Mapped[int | None]
    reversed: Mapped[bool]
    ends_access: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(String(128))
    said_at: Mapped[datetime]
    told_at: Mapped[datetime | None]  # when others were told of it
    recorded_at: Mapped[datetime]


class EntitlementChange(Base):
    """One change of what an owner may do, and what caused it."""

    __tablename__ = "entitlement_history"
    __table_args__ = (
        Index("ix_entitlement_history_owner", "owner_kind", "owner_id", "id"),
        Index("ix_entitlement_history_at", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # rises with time
    owner_kind: Mapped[OwnerKind] = mapped_column(enum_column(OwnerKind))
    owner_id: Mapped[str]
    at: Mapped[datetime]
    cause: Mapped[str] = mapped_column(String(64))  # store, sweep, operator, claim, catalogue
    cause_id: Mapped[str | None] = mapped_column(String(255))
    before: Mapped[dict[str, object]]
    after: Mapped[dict[str, object]]


class Checkout(Base):
    """A customer on the way to pay on the web."""

    __tablename__ = "checkouts"
    __table_args__ = (Index("ix_checkouts_user", "user_id", "created_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # wcs_…
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    plan_id: Mapped[str | None] = mapped_column(String(64))
    pack_id: Mapped[str | None] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(32))
    provider_session_id: Mapped[str | None] = mapped_column(String(255), index=True)
    checkout_url: Mapped[str]
    status: Mapped[str] = mapped_column(String(32))  # open, completed, expired
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class StoreCustomer(Base):
    """Which of our users a store's customer is, as a checkout told."""

    __tablename__ = "store_customers"

    source: Mapped[Source] = mapped_column(enum_column(Source), primary_key=True)
    environment: Mapped[Environment] = mapped_column(enum_column(Environment), primary_key=True)
    customer_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]  # of the message that says so
