"""A job as admission leaves it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from medici.adapters.providers.request import Operation, Tier
from medici.domain.rendering.models import ProviderMode, RenderState


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """A new row of ``render_jobs``, column for column, without a session behind it."""

    id: UUID
    user_id: str
    platform: str | None
    project_id: str
    style_id: str
    operation: Operation
    tier: Tier
    target_parts: list[str]
    image_url: str
    image_id: UUID | None
    mask_url: str | None
    mask_id: UUID | None
    prompt: str
    wishes: list[str]
    max_pixels: int

    plan_id: str
    credits: int
    hold_id: UUID | None
    settings_version: int
    candidates: list[list[str]]
    position: int = 0
    retries: int = 0

    state: RenderState = RenderState.QUEUED
    provider: str
    provider_model: str
    provider_mode: ProviderMode | None = None
    progress: int = 0
    queue_position: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    notes: tuple[str, ...] = ()
    output_id: UUID | None = None
    estimated_cost_micros: int = 0
    actual_cost_micros: int | None = None

    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None
