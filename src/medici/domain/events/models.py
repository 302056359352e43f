"""The table of facts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.kernel.db.base import Base

HAS_EVENT_ID = text("event_id IS NOT NULL")


class Event(Base):
    """One fact. Ids rise with ``recorded_at``, so a rollup can go on where it stopped."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "name", "occurred_at"),
        Index(None, "occurred_at"),
        Index(
            "uq_events_event_id",
            "event_id",
            unique=True,
            sqlite_where=HAS_EVENT_ID,
            postgresql_where=HAS_EVENT_ID,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    user_id: Mapped[str | None]
    platform: Mapped[str | None]
    provider: Mapped[str | None]
    model: Mapped[str | None]
    operation: Mapped[str | None]
    tier: Mapped[str | None]
    status: Mapped[str | None]
    latency_ms: Mapped[int | None]
    cost_micros: Mapped[int | None]  # millionths of a US dollar, as the provider charges
    credits: Mapped[int | None]
    plan_id: Mapped[str | None]
    project_id: Mapped[str | None]
    style_id: Mapped[str | None]
    render_job_id: Mapped[UUID | None]
    error_code: Mapped[str | None]
    trusted: Mapped[bool]  # ours or the operator's; False is a client's claim
    event_id: Mapped[UUID | None]  # by which its sender repeats it; kept once
    anonymous_id: Mapped[str | None] = mapped_column(String(128))  # a device before sign-in
    session_id: Mapped[str | None] = mapped_column(String(128))
    app_version: Mapped[str | None] = mapped_column(String(64))
    properties: Mapped[dict[str, object]]
