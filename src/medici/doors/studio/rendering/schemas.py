"""The JSON of render jobs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.rendering import rules
from medici.domain.rendering.models import ProviderMode, RenderAttempt, RenderJob, RenderState
from medici.domain.rendering.rows import JobRow
from medici.doors.studio.auth import Platform, UserId

WireStatus: TypeAlias = Literal["queued", "in_progress", "completed", "failed", "canceled"]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=128)]
StyleId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Wish = Annotated[str, StringConstraints(max_length=500)]


class RenderJobIn(BaseModel):
    """A wanted picture. ``image_url`` is an upload's address or any public https address."""

    user_id: UserId | None = None
    platform: Platform | None = None
    project_id: ShortText
    image_url: Address
    style_id: StyleId
    operation: Operation
    tier: Tier = Tier.PREVIEW
    target_parts: list[Part] = Field(
        default_factory=lambda: [Part.FULL_ROOM], min_length=1, max_length=5
    )
    mask_url: Address | None = None
    prompt_overrides: dict[ShortText, Wish | bool | int | float | None] = Field(
        default_factory=dict, max_length=20
    )

    @property
    def wishes(self) -> tuple[str, ...]:
        """Return the customer's own words."""
        return tuple(value for value in self.prompt_overrides.values() if isinstance(value, str))


class AttemptOut(BaseModel):
    """One try at one provider."""

    provider: str
    model: str
    status: str
    error_code: str | None
    started_at: datetime
    finished_at: datetime | None


class RenderStatusOut(BaseModel):
    """How far a job is. ``progress`` counts percent; ``queue_position`` starts at 0.

    ``provider_mode`` is ``stub`` where a provider only pretends to render, in development.
    """

    id: UUID
    status: WireStatus
    provider: str
    provider_model: str
    provider_mode: ProviderMode | None
    output_url: str | None
    estimated_cost_usd: float
    updated_at: datetime
    error_code: str | None
    error_message: str | None
    progress: int
    queue_position: int | None
    notes: list[str]


class RenderJobOut(RenderStatusOut):
    """A whole job. ``credits`` is its price: held while it runs, taken once it is completed."""

    project_id: str
    style_id: str
    operation: Operation
    tier: Tier
    target_parts: list[str]
    provider_attempts: list[AttemptOut]
    provider_job_id: str | None
    credits: int
    created_at: datetime


class WatchedJobOut(RenderJobOut):
    """A job as operators see it: whose it is, and what its providers were chosen by.

    ``candidates`` are the providers in the order in which they are tried; ``experiment_id`` and
    ``variant_id`` name the test of providers that the user takes part in.
    """

    user_id: str
    plan_id: str
    settings_version: int
    candidates: list[str]
    experiment_id: str | None
    variant_id: str | None


class RenderJobsOut(BaseModel):
    """A page of jobs, newest first; ``next_cursor`` asks for the next one."""

    jobs: list[RenderJobOut]
    next_cursor: str | None


class CancelOut(BaseModel):
    """``canceled`` is true where this call ended the job."""

    id: UUID
    canceled: bool
    status: WireStatus


class ProvidersOut(BaseModel):
    registered: list[str]
    enabled: list[str]
    default: str
    fallback_chain: list[str]


def states_of(status: WireStatus) -> tuple[RenderState, ...]:
    """Return the inner states that a client sees as ``status``."""
    return tuple(state for state, wire in rules.WIRE_STATUS.items() if wire == status)


def status_out(job: RenderJob, output_url: str | None) -> RenderStatusOut:
    return RenderStatusOut.model_validate(_status_fields(job, output_url))


def job_out(
    job: RenderJob | JobRow, attempts: Sequence[RenderAttempt], output_url: str | None
) -> RenderJobOut:
    return RenderJobOut.model_validate(
        {
            **_status_fields(job, output_url),
            "project_id": job.project_id,
            "style_id": job.style_id,
            "operation": job.operation,
            "tier": job.tier,
            "target_parts": job.target_parts,
            "provider_attempts": [_attempt_out(attempt) for attempt in attempts],
            "provider_job_id": _provider_job_id(attempts),
            "credits": job.credits,
            "created_at": job.created_at,
        }
    )


def watched_out(
    job: RenderJob, attempts: Sequence[RenderAttempt], output_url: str | None
) -> WatchedJobOut:
    return WatchedJobOut(
        **dict(job_out(job, attempts, output_url)),
        user_id=job.user_id,
        plan_id=job.plan_id,
        settings_version=job.settings_version,
        candidates=[provider for provider, _ in job.candidates],
        experiment_id=job.experiment_id,
        variant_id=job.variant_id,
    )


def _status_fields(job: RenderJob | JobRow, output_url: str | None) -> dict[str, object]:
    return {
        "id": job.id,
        "status": rules.WIRE_STATUS[job.state],
        "provider": job.provider,
        "provider_model": job.provider_model,
        "provider_mode": job.provider_mode,
        "output_url": output_url,
        "estimated_cost_usd": job.estimated_cost_micros / 1_000_000,
        "updated_at": job.updated_at,
        "error_code": job.error_code,
        "error_message": job.error_message,
        "progress": job.progress,
        "queue_position": job.queue_position,
        "notes": job.notes,
    }


def _attempt_out(attempt: RenderAttempt) -> AttemptOut:
    return AttemptOut(
        provider=attempt.provider,
        model=attempt.model,
        status=attempt.state,
        error_code=attempt.failure_code,
        started_at=attempt.created_at,
        finished_at=attempt.finished_at,
    )


def _provider_job_id(attempts: Sequence[RenderAttempt]) -> str | None:
    """Return what the newest attempt's provider calls its work."""
    ref = attempts[-1].ref if attempts else None
    named = (ref or {}).get("request_id") or (ref or {}).get("reference")
    return str(named) if named else None
