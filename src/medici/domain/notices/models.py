"""Tables of who listens, what they are told, and how telling them went."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.domain.notices.notice import NoticeType
from medici.kernel.db.base import Base, enum_column

TYPE_LENGTH = 64  # of a notice's type; longer than any, so that new ones need no migration
LISTENS = text("disabled_at IS NULL")


class DisabledBecause(StrEnum):
    """Why an endpoint is told nothing any more."""

    OPERATOR = "operator"  # somebody said so
    GONE = "gone"  # it answered 410
    FAILING = "failing"  # it has not taken anything for a day


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"  # given up, until somebody asks for it anew


class WebhookEndpoint(Base):
    """An address of another system, and the secrets that what we send there is signed with.

    Secrets are sealed for this endpoint; only the last characters of the newest stay readable.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        Index(
            "ix_webhook_endpoints_listening",
            "id",
            sqlite_where=LISTENS,
            postgresql_where=LISTENS,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # rises with time
    url: Mapped[str]
    types: Mapped[list[str] | None]  # None: whatever there is to tell
    description: Mapped[str]
    secret: Mapped[str]
    secret_last4: Mapped[str] = mapped_column(String(4))
    previous_secret: Mapped[str | None]  # signs along until then
    previous_secret_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_because: Mapped[DisabledBecause | None] = mapped_column(enum_column(DisabledBecause))
    failures_in_a_row: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]  # the first failure after the last success
    resting_until: Mapped[datetime | None]  # while it is down, when it may next be tried
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def wants(self, notice_type: NoticeType) -> bool:
        return self.types is None or notice_type in self.types


class WebhookNotice(Base):
    """One thing that happened, as it is sent; its id is what receivers know it by."""

    __tablename__ = "webhook_notices"
    __table_args__ = (Index("ix_webhook_notices_created_at", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)  # rises with time
    type: Mapped[str] = mapped_column(String(TYPE_LENGTH))
    subject: Mapped[str] = mapped_column(String(255))
    key: Mapped[str | None] = mapped_column(String(255), unique=True)
    body: Mapped[str]  # byte for byte what each try sends, whatever becomes of our code
    created_at: Mapped[datetime]


class WebhookDelivery(Base):
    """One notice on its way to one endpoint."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("notice_id", "endpoint_id"),
        Index("ix_webhook_deliveries_endpoint", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_status", "endpoint_id", "status", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # rises with time
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_notices.id", ondelete="CASCADE"))
    endpoint_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhook_endpoints.id", ondelete="CASCADE")
    )
    type: Mapped[str] = mapped_column(String(TYPE_LENGTH))  # the notice's
    status: Mapped[DeliveryStatus] = mapped_column(enum_column(DeliveryStatus))
    tries: Mapped[int] = mapped_column(default=0)  # since it was last asked for
    attempt_count: Mapped[int] = mapped_column(default=0)  # ever
    next_attempt_at: Mapped[datetime | None]
    status_code: Mapped[int | None]  # of the newest attempt
    error: Mapped[str | None] = mapped_column(String(64))  # why it last came to nothing
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


class WebhookAttempt(Base):
    """One try at a delivery, and what came of it."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (UniqueConstraint("delivery_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhook_deliveries.id", ondelete="CASCADE")
    )
    number: Mapped[int]  # from 1
    at: Mapped[datetime]
    latency_ms: Mapped[int]
    status_code: Mapped[int | None]  # None: no answer came
    answer: Mapped[str | None]  # its beginning
    error: Mapped[str | None] = mapped_column(String(64))  # None: the receiver took it
