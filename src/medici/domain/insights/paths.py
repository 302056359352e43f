"""Funnels and cohorts in the shapes in which they are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics import people
from medici.domain.analytics.adding import COMPLETED
from medici.domain.analytics.funnels import Funnel, Mode, Step
from medici.domain.analytics.retention import Unit, buckets, cohorts
from medici.domain.analytics.spans import HOUR, Window
from medici.domain.events.facts import EventName
from medici.domain.insights.figures import RateFigure
from medici.domain.insights.views import View

DEFAULT_STEPS = (
    "app_opened",
    "upload_completed",
    "render_preview_completed",
    "render_final_completed",
    "paywall_viewed",
    "checkout_started",
    "subscription_activated",
)
DEFAULT_WITHIN = timedelta(hours=24)
QUICKLY = 4_000  # facts that can be followed while a dashboard is waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFigure:
    """``overall`` is of those who took the first step, ``step`` of those at the step before."""

    name: str
    actors: int
    overall: RateFigure
    step: RateFigure
    dropped: int
    median_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelFigure:
    """Actors by the step that they reached; their first step lies in ``window``."""

    mode: Mode
    window_h: float
    window: Span
    steps: Sequence[StepFigure]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainedFigure:
    """``partial`` says that the bucket is not over, so nothing can be said of it yet."""

    n: int
    partial: bool
    active: RateFigure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortFigure:
    cohort: date
    actors: int
    cells: Sequence[RetainedFigure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Those who were first seen in a bucket, and who of them were active in the n-th after it."""

    unit: Unit
    tz: str
    cohorts: Sequence[CohortFigure]


async def funnel(
    session: AsyncSession,
    steps: Sequence[str],
    window: Window,
    *,
    within: timedelta,
    mode: Mode = Mode.ORDERED,
) -> FunnelFigure:
    """Follow everybody who took the first step in a window.

    Raises:
        TooMuchToFollow: more facts would have to be read than one answer may.
    """
    asked = Funnel(steps=steps, within=within, until=window.until, mode=mode)
    found = await people.funnel(session, asked, window)
    return FunnelFigure(
        mode=mode,
        window_h=round(within / HOUR, 4),
        window=Span(since=window.since, until=window.until),
        steps=[_figure(step) for step in found],
    )


async def quick_funnel(session: AsyncSession, seen: View) -> FunnelFigure:
    """Follow the default funnel, over the last part of the window where it holds too many facts."""
    window = seen.window
    many = sum(cell.events for cell in seen.cells if _is_step(cell.name, cell.status))
    if many > QUICKLY:
        share = max(window.length * QUICKLY / many // HOUR, 1) * HOUR
        window = Window(since=window.until - min(share, window.length), until=window.until)
    return await funnel(session, DEFAULT_STEPS, window, within=DEFAULT_WITHIN)


async def retention(
    session: AsyncSession, *, unit: Unit, zone: ZoneInfo, count: int, now: datetime
) -> Retention:
    """Follow the cohorts of the last so many buckets."""
    spans = buckets(unit, zone, count=count, now=now)
    sizes = await people.cohort_sizes(session, spans)
    active = await people.active_by_cohort(session, spans)
    return Retention(
        unit=unit,
        tz=zone.key,
        cohorts=[
            CohortFigure(
                cohort=cohort.first_day,
                actors=cohort.actors,
                cells=[
                    RetainedFigure(
                        n=cell.after,
                        partial=cell.rate is None,
                        active=RateFigure.of(cell.rate.numerator, cell.rate.denominator)
                        if cell.rate
                        else None,
                    )
                    for cell in cohort.cells
                ],
            )
            for cohort in cohorts(spans, sizes, active, now=now)
        ],
    )


def _figure(step: Step) -> StepFigure:
    return StepFigure(
        name=step.name,
        actors=step.actors,
        overall=RateFigure.of(step.overall.numerator, step.overall.denominator),
        step=RateFigure.of(step.step.numerator, step.step.denominator),
        dropped=step.dropped,
        median_s=step.median_seconds,
    )


def _is_step(name: str, status: str) -> bool:
    return name in DEFAULT_STEPS or (
        name == EventName.RENDER_STATUS_UPDATED and status in COMPLETED
    )
