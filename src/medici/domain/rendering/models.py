"""A wanted picture, and each try at a provider for it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.provider import CostSource
from medici.adapters.providers.request import Operation, Tier
from medici.kernel.db.base import Base, Json, enum_column


class RenderState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    RUNNING = "running"
    UNCERTAIN = "uncertain"
    SUCCEEDED = "succeeded"
    MODERATED = "moderated"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL


TERMINAL = frozenset(
    {
        RenderState.SUCCEEDED,
        RenderState.MODERATED,
        RenderState.EXPIRED,
        RenderState.FAILED,
        RenderState.CANCELED,
    }
)
IN_FLIGHT = text("state IN ('queued', 'sending', 'running', 'uncertain')")


class AttemptState(StrEnum):
    SENDING = "sending"
    RUNNING = "running"
    UNCERTAIN = "uncertain"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_open(self) -> bool:
        return self in {AttemptState.SENDING, AttemptState.RUNNING, AttemptState.UNCERTAIN}


class ProviderMode(StrEnum):
    """Whether the provider of a job really renders; unknown until the job is sent."""

    LIVE = "live"
    STUB = "stub"


class RenderJob(Base):
    """One requested picture.

    ``candidates`` is the route as it was chosen at admission, a list of ``[provider, model]``;
    ``position`` points at the one whose turn it is.
    """

    __tablename__ = "render_jobs"
    __table_args__ = (
        CheckConstraint("credits >= 0", name="credits_not_negative"),
        Index("ix_render_jobs_user", "user_id", "id"),
        Index("ix_render_jobs_projects", "user_id", "project_id", "id"),
        Index(
            "ix_render_jobs_in_flight",
            "user_id",
            sqlite_where=IN_FLIGHT,
            postgresql_where=IN_FLIGHT,
        ),
        Index("ix_render_jobs_previews", "user_id", "project_id", "style_id", "tier", "state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    platform: Mapped[str | None] = mapped_column(String(32))
    project_id: Mapped[str] = mapped_column(String(128))
    style_id: Mapped[str] = mapped_column(String(64))
    operation: Mapped[Operation] = mapped_column(enum_column(Operation))
    tier: Mapped[Tier] = mapped_column(enum_column(Tier))
    target_parts: Mapped[list[str]]
    image_url: Mapped[str]
    image_id: Mapped[UUID | None] = mapped_column(ForeignKey("pictures.id"))  # our own upload
    mask_url: Mapped[str | None]
    mask_id: Mapped[UUID | None] = mapped_column(ForeignKey("pictures.id"))
    prompt: Mapped[str]
    wishes: Mapped[list[str]]  # the customer's own words, which are in the prompt too
    max_pixels: Mapped[int]

    plan_id: Mapped[str] = mapped_column(String(64))
    credits: Mapped[int]  # the price
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("credit_holds.id"))
    settings_version: Mapped[int]
    # Without a foreign key: what was rendered in an experiment outlives it.
    experiment_id: Mapped[str | None] = mapped_column(String(128))  # that chose the candidates
    variant_id: Mapped[str | None] = mapped_column(String(128))
    candidates: Mapped[list[list[str]]] = mapped_column(Json)
    position: Mapped[int] = mapped_column(default=0)
    retries: Mapped[int] = mapped_column(default=0)  # at all providers together

    state: Mapped[RenderState] = mapped_column(enum_column(RenderState))
    provider: Mapped[str] = mapped_column(String(64))
    provider_model: Mapped[str] = mapped_column(String(128))
    provider_mode: Mapped[ProviderMode | None] = mapped_column(enum_column(ProviderMode))
    progress: Mapped[int] = mapped_column(default=0)  # percent
    queue_position: Mapped[int | None]
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None]
    notes: Mapped[list[str]] = mapped_column(default=list)
    output_id: Mapped[UUID | None] = mapped_column(ForeignKey("pictures.id"))
    estimated_cost_micros: Mapped[int] = mapped_column(default=0)  # USD
    actual_cost_micros: Mapped[int | None]  # USD, all attempts together

    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


OPEN = text("finished_at IS NULL")


class RenderAttempt(Base):
    """One try at one provider; its id is the reference that the provider gets."""

    __tablename__ = "render_attempts"
    __table_args__ = (
        UniqueConstraint("render_job_id", "number"),
        Index("ix_render_attempts_open", "provider", sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    render_job_id: Mapped[UUID] = mapped_column(ForeignKey("render_jobs.id"))
    number: Mapped[int]  # from 1
    provider: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(128))
    state: Mapped[AttemptState] = mapped_column(enum_column(AttemptState))
    ref: Mapped[dict[str, Any] | None]  # the adapter's own note of where the work is
    polls: Mapped[int] = mapped_column(default=0)
    failure_code: Mapped[FailureCode | None] = mapped_column(enum_column(FailureCode))
    failure_message: Mapped[str | None]
    estimated_cost_micros: Mapped[int] = mapped_column(default=0)
    actual_cost_micros: Mapped[int | None]
    cost_source: Mapped[CostSource | None] = mapped_column(enum_column(CostSource))
    price_version: Mapped[str | None] = mapped_column(String(64))  # of the price list
    cost_uncertain: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    deadline_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
