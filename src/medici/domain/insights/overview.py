"""The whole in ten figures, and the health of each provider."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics import queries
from medici.domain.analytics.spans import Window
from medici.domain.insights.figures import LatencyFigure, RateFigure
from medici.domain.insights.tallies import Tally, tallies_by
from medici.domain.insights.views import View, view

KEPT = timedelta(days=400)  # how long facts are kept, hence how far back "everything" goes
QUICK_MS, MS_PER_POINT = 2_500, 75
SUCCESS_WEIGHT = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Rates are percentages of finished renders."""

    total_events: int
    render_events: int
    render_success: int
    render_failed: int
    render_success_rate: float
    avg_latency_ms: float
    p95_latency_ms: int
    total_cost_usd: float
    provider_event_counts: Mapping[str, int]
    provider_success_rate: Mapping[str, float]
    latency_ms: LatencyFigure
    success: RateFigure

    @classmethod
    def of(cls, seen: View) -> "Overview":
        total, providers, latency = seen.total, tallies_by(seen.cells, "provider"), seen.latency()
        return cls(
            total_events=sum(cell.events for cell in seen.cells),
            render_events=total.events,
            render_success=total.completed,
            render_failed=total.failed,
            render_success_rate=total.success_rate,
            avg_latency_ms=total.average_latency_ms,
            p95_latency_ms=latency.p95 or 0,
            total_cost_usd=total.cost_usd,
            provider_event_counts=_events_by_provider(seen),
            provider_success_rate={
                name: done.success_rate for name, done in providers.items() if done.finished
            },
            latency_ms=latency,
            success=RateFigure.of(total.completed, total.finished),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHealth:
    """``health_score`` is out of 100: 0.7 of the success rate, and 0.3 of how quick it is."""

    total_events: int
    success_rate: float
    failed_events: int
    avg_latency_ms: float
    health_score: float
    completed: int
    failed_attempts: int
    latency_ms: LatencyFigure
    success: RateFigure


async def overview(session: AsyncSession, *, hours: int | None, now: datetime) -> Overview:
    """Add up the last hours, or everything that is kept."""
    since = now - (timedelta(hours=hours) if hours else KEPT)
    fresh = await queries.freshness(session)
    return Overview.of(await view(session, Window(since=since, until=now), fresh))


async def providers_health(
    session: AsyncSession, *, hours: int, now: datetime
) -> dict[str, ProviderHealth]:
    """Judge each provider that has finished or failed anything in the last hours."""
    fresh = await queries.freshness(session)
    seen = await view(session, Window.of_hours(hours, until=now), fresh)
    return {
        name: _health(seen, name, done)
        for name, done in tallies_by(seen.cells, "provider").items()
        if done.finished or done.failed_attempts
    }


def _health(seen: View, name: str, done: Tally) -> ProviderHealth:
    return ProviderHealth(
        total_events=done.finished,
        success_rate=done.success_rate,
        failed_events=done.failed,
        avg_latency_ms=done.average_latency_ms,
        health_score=health_score(done),
        completed=done.completed,
        failed_attempts=done.failed_attempts,
        latency_ms=seen.latency(provider=name),
        success=RateFigure.of(done.completed, done.finished),
    )


def health_score(done: Tally) -> float:
    """Weigh success against speed: 2.5 s is quick, and every 75 ms more costs a point of it."""
    late_ms = max(0.0, done.average_latency_ms - QUICK_MS)
    speed = max(0.0, 100 - late_ms / MS_PER_POINT)
    return round(SUCCESS_WEIGHT * done.success_rate + (1 - SUCCESS_WEIGHT) * speed, 2)


def _events_by_provider(seen: View) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for cell in seen.cells:
        if cell.trusted and cell.provider:
            counted[cell.provider] += cell.events
    return dict(sorted(counted.items()))
