"""The table of what stores sent."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.adapters.payments.news import AuthMode, Source
from medici.kernel.db.base import Base, enum_column
from medici.kernel.environment import Environment


class MessageStatus(StrEnum):
    """What became of a message."""

    RECEIVED = "received"  # its effects wait for an answer of the store
    PROCESSED = "processed"
    IGNORED = "ignored"  # it tells nothing that we keep
    STALE = "stale"  # a newer message of its lineage had been here before
    UNCLAIMED = "unclaimed"  # kept for whoever turns out to have bought, or for a product to come
    FAILED = "failed"


class WebhookEvent(Base):
    """One message of a store, once, however often it was sent."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        UniqueConstraint("source", "environment", "event_id"),
        Index("ix_webhook_events_received_at", "received_at"),
        Index(
            "ix_webhook_events_waiting",
            "status",
            "received_at",
            sqlite_where=text("status IN ('received', 'unclaimed', 'failed')"),
            postgresql_where=text("status IN ('received', 'unclaimed', 'failed')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # rises with time
    source: Mapped[Source] = mapped_column(enum_column(Source))
    environment: Mapped[Environment] = mapped_column(enum_column(Environment))
    event_id: Mapped[str] = mapped_column(String(255))
    event_type: Mapped[str] = mapped_column(String(128))
    event_time: Mapped[datetime]
    received_at: Mapped[datetime]
    auth_mode: Mapped[AuthMode] = mapped_column(enum_column(AuthMode))
    payload_hash: Mapped[str] = mapped_column(String(64))  # of the body as it came
    payload: Mapped[bytes] = mapped_column(LargeBinary)  # the news in it, sealed
    status: Mapped[MessageStatus] = mapped_column(enum_column(MessageStatus))
    attempts: Mapped[int] = mapped_column(default=0)
    awaits: Mapped[str | None]  # the handle that the store is being asked about
    remark: Mapped[str | None]
    processed_at: Mapped[datetime | None]
