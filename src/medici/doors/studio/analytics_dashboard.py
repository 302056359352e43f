"""The dashboard on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from medici.domain.insights.alerts import AlertFigure
from medici.domain.insights.breakdowns import RenderHealth, Share, StatusShare
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


class DashboardOut(BaseModel):
    """Rates in ``summary`` and the breakdowns are percentages of renders that finished."""

    generated_at: datetime
    window: WindowOut
    freshness: Lag
    summary: Overview
    provider_breakdown: Sequence[Share]
    operation_breakdown: Sequence[Share]
    platform_breakdown: Sequence[Share]
    status_breakdown: Sequence[StatusShare]
    render_health: RenderHealth
    credits: Credits
    subscriptions: Subscriptions
    subscription_sources: Mapping[str, int]
    queue: Queue
    funnel: FunnelFigure
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
            summary=told.summary,
            provider_breakdown=told.provider_breakdown,
            operation_breakdown=told.operation_breakdown,
            platform_breakdown=told.platform_breakdown,
            status_breakdown=told.status_breakdown,
            render_health=told.render_health,
            credits=told.credits,
            subscriptions=told.subscriptions,
            subscription_sources=told.subscriptions.by_source,
            queue=told.queue,
            funnel=told.funnel,
            margin=told.margin,
            experiment_breakdown=told.experiments,
            experiments=told.experiments,
            alerts=told.alerts,
            previous=told.previous,
        )
