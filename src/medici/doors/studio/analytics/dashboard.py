"""The dashboard on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from medici.domain.insights.alerts import AlertFigure
from medici.domain.insights.breakdowns import (
    OperationShare,
    PlatformShare,
    ProviderShare,
    RenderHealth,
    StatusShare,
)
from medici.domain.insights.dashboard import (
    Credits,
    Dashboard,
    ExperimentFigure,
    Lag,
    Margin,
    Previous,
)
from medici.domain.insights.overview import Overview
from medici.domain.insights.paths import FunnelFigure
from medici.domain.insights.queueing import Queue
from medici.domain.insights.subscriptions import Subscriptions


class SpanOut(BaseModel):
    """A span of time, without its end."""

    model_config = ConfigDict(populate_by_name=True)

    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to")

    @classmethod
    def of(cls, since: datetime, until: datetime) -> "SpanOut":
        return cls(since=since, until=until)


class WindowOut(SpanOut):
    hours: int
    previous: SpanOut


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSummaryOut(Overview):
    """``preview_to_final_rate`` is the percentage of previews that a final followed."""

    avg_cost_per_render_usd: float | None
    preview_to_final_rate: float
    active_render_users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsOut(Credits):
    """``daily_reset_total`` is what resets gave; the first touch of a day gives without one."""

    granted_total: int
    consumed_total: int
    refunded_total: int
    daily_reset_total: int
    unique_consumers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionsOut(Subscriptions):
    """The week ahead: which renew, and which end instead."""

    active_subscriptions: int
    renewals_due_7d: int
    expirations_due_7d: int


class SourceOut(BaseModel):
    source: str
    active_subscriptions: int
    active_share_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOut(Queue):
    """Beside how the queue stands now: how many renders of the window ended in which way."""

    in_progress_jobs: int
    completed_jobs_window: int
    failed_jobs_window: int
    canceled_jobs_window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelOut(FunnelFigure):
    """Beside the steps in their order: how many users did each thing, in whatever order."""

    login_users: int
    preview_users: int
    final_users: int
    checkout_starts: int
    paid_activations: int
    checkout_to_paid_rate: float


class DashboardOut(BaseModel):
    """Rates in ``summary`` and the breakdowns are percentages of renders that finished."""

    generated_at: datetime
    window: WindowOut
    freshness: Lag
    summary: DashboardSummaryOut
    provider_breakdown: Sequence[ProviderShare]
    operation_breakdown: Sequence[OperationShare]
    platform_breakdown: Sequence[PlatformShare]
    status_breakdown: Sequence[StatusShare]
    render_health: RenderHealth
    credits: CreditsOut
    subscriptions: SubscriptionsOut
    subscription_sources: Sequence[SourceOut]
    queue: QueueOut
    funnel: FunnelOut
    margin: Margin
    experiment_breakdown: Sequence[ExperimentFigure]
    experiments: Sequence[ExperimentFigure]
    alerts: Sequence[AlertFigure]
    previous: Previous

    @classmethod
    def of(cls, told: Dashboard, hours: int) -> "DashboardOut":
        """Shape a dashboard of the last ``hours``."""
        window, before = told.window, told.window.previous
        return cls(
            generated_at=told.generated_at,
            window=WindowOut(
                since=window.since,
                until=window.until,
                hours=hours,
                previous=SpanOut.of(before.since, before.until),
            ),
            freshness=told.freshness,
            summary=_summary(told),
            provider_breakdown=told.provider_breakdown,
            operation_breakdown=told.operation_breakdown,
            platform_breakdown=told.platform_breakdown,
            status_breakdown=told.status_breakdown,
            render_health=told.render_health,
            credits=_credits(told),
            subscriptions=_subscriptions(told),
            subscription_sources=_sources(told.subscriptions),
            queue=_queue(told),
            funnel=_funnel(told),
            margin=told.margin,
            experiment_breakdown=told.experiments,
            experiments=told.experiments,
            alerts=told.alerts,
            previous=told.previous,
        )


def _summary(told: Dashboard) -> DashboardSummaryOut:
    tiers = told.render_health.by_type
    return DashboardSummaryOut(
        **_same(told.summary),
        avg_cost_per_render_usd=told.total.average_cost_usd,
        preview_to_final_rate=_percent(tiers["final"].completed, tiers["preview"].completed),
        active_render_users=told.renderers.all,
    )


def _credits(told: Dashboard) -> CreditsOut:
    return CreditsOut(
        **_same(told.credits),
        granted_total=told.credits.granted,
        consumed_total=told.credits.consumed,
        refunded_total=told.credits.refunded,
        daily_reset_total=told.reset_credits,
        unique_consumers=told.renderers.paying,
    )


def _subscriptions(told: Dashboard) -> SubscriptionsOut:
    return SubscriptionsOut(
        **_same(told.subscriptions),
        active_subscriptions=told.subscriptions.active,
        renewals_due_7d=told.dues.renewals,
        expirations_due_7d=told.dues.expirations,
    )


def _sources(told: Subscriptions) -> list[SourceOut]:
    return [
        SourceOut(
            source=source,
            active_subscriptions=count,
            active_share_pct=_percent(count, told.active),
        )
        for source, count in told.by_source.items()
    ]


def _queue(told: Dashboard) -> QueueOut:
    return QueueOut(
        **_same(told.queue),
        in_progress_jobs=told.queue.running_jobs,
        completed_jobs_window=told.total.completed,
        failed_jobs_window=told.total.failed,
        canceled_jobs_window=told.total.canceled,
    )


def _funnel(told: Dashboard) -> FunnelOut:
    return FunnelOut(
        **_same(told.funnel),
        login_users=told.signed_in,
        preview_users=told.renderers.previewing,
        final_users=told.renderers.finishing,
        checkout_starts=told.checkouts,
        paid_activations=told.activations,
        checkout_to_paid_rate=_percent(told.activations, told.checkouts),
    )


def _same(figures: Any) -> dict[str, Any]:
    """Return the fields of a figure, for one that tells more."""
    return {field.name: getattr(figures, field.name) for field in fields(figures)}


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
