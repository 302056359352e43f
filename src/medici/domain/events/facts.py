"""A fact as it is reported, and the names of those that Medici itself reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class EventName(StrEnum):
    """What the server reports. Clients send names of their own."""

    RENDER_DISPATCHED = "render_dispatched"
    RENDER_STATUS_UPDATED = "render_status_updated"
    RENDER_CANCELED = "render_canceled"
    RENDER_PROVIDER_ATTEMPT_FAILED = "render_provider_attempt_failed"
    RENDER_DISPATCH_FAILED = "render_dispatch_failed"
    RENDER_BLOCKED_PREVIEW_REQUIRED = "render_blocked_preview_required"
    RENDER_BLOCKED_INSUFFICIENT_CREDITS = "render_blocked_insufficient_credits"
    CREDITS_GRANTED = "credits_granted"
    CREDITS_CONSUMED = "credits_consumed"
    CREDITS_REFUNDED = "credits_refunded"
    CREDITS_EXPIRED = "credits_expired"
    CHECKOUT_STARTED = "checkout_started"
    SUBSCRIPTION_ACTIVATED = "subscription_activated"
    SUBSCRIPTION_RENEWED = "subscription_renewed"
    SUBSCRIPTION_CHANGED = "subscription_changed"
    SUBSCRIPTION_ENDED = "subscription_ended"
    SUBSCRIPTION_REACTIVATED = "subscription_reactivated"
    TRIAL_STARTED = "trial_started"
    TRIAL_CONVERTED = "trial_converted"
    PACK_PURCHASED = "pack_purchased"
    PURCHASE_REFUNDED = "purchase_refunded"
    CREDITS_RESET = "credits_reset"
    CREDITS_LOW = "credits_low"
    CREDITS_EXPIRING = "credits_expiring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened; what does not apply is None.

    ``occurred_at`` None means: just now. ``cost_micros`` is in millionths of a US dollar, what the
    provider charged; ``credits`` what the customer paid. ``properties`` is a JSON object.
    ``event_id`` is the sender's own id of what it may send twice.
    """

    name: str
    occurred_at: datetime | None = None
    user_id: str | None = None
    platform: str | None = None
    provider: str | None = None
    model: str | None = None
    operation: str | None = None
    tier: str | None = None
    status: str | None = None
    latency_ms: int | None = None
    cost_micros: int | None = None
    credits: int | None = None
    plan_id: str | None = None
    project_id: str | None = None
    style_id: str | None = None
    render_job_id: UUID | None = None
    error_code: str | None = None
    trusted: bool = True
    event_id: UUID | None = None
    anonymous_id: str | None = None
    session_id: str | None = None
    app_version: str | None = None
    properties: Mapping[str, object] = field(default_factory=dict)
