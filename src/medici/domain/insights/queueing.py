"""How much is waiting, how fast it moves, and how renders fared that ended lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics.adding import has_ended, within
from medici.domain.analytics.spans import Window
from medici.domain.events.facts import EventName
from medici.domain.events.models import Event
from medici.domain.insights.figures import LatencyFigure, RateFigure
from medici.domain.rendering.models import (
    IN_FLIGHT,
    ProviderMode,
    RenderAttempt,
    RenderJob,
    RenderState,
)
from medici.jobs.database_clock import clock_after
from medici.jobs.models import JobWorker

PACE = timedelta(minutes=5)  # over which arrival and throughput are measured
STUCK = timedelta(minutes=15)  # without news of a render
ALIVE_SECONDS = 60.0
SAMPLE = 1_000  # newest renders of a window


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    queued: int
    running: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Renders that have not ended, as they stand now."""

    queued_jobs: int
    running_jobs: int
    depth: Depth
    oldest_queued_age_s: float
    throughput_per_min: float
    arrival_per_min: float
    drain_eta_s: float | None  # None: it does not get shorter
    stuck: int
    workers_alive: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """How the newest renders of a window fared; ``sampled`` tells how many were looked at."""

    sampled: int
    queue_wait_ms: LatencyFigure
    fallback_rate: RateFigure
    stub_rate: RateFigure


async def queue(session: AsyncSession, *, now: datetime) -> Queue:
    """Measure the queue of renders."""
    waiting = (await session.execute(_standing(now))).one()
    pace = (await session.execute(_pace(Window(since=now - PACE, until=now)))).one()
    alive = select(func.count()).where(JobWorker.seen_at > clock_after(-ALIVE_SECONDS))
    minutes = PACE / timedelta(minutes=1)
    arriving, moving = pace.arrived / minutes, pace.ended / minutes
    age = (now - waiting.oldest).total_seconds() if waiting.oldest else 0.0
    return Queue(
        queued_jobs=waiting.queued,
        running_jobs=waiting.running,
        depth=Depth(queued=waiting.queued, running=waiting.running),
        oldest_queued_age_s=round(max(age, 0.0), 3),
        throughput_per_min=round(moving, 2),
        arrival_per_min=round(arriving, 2),
        drain_eta_s=_eta(waiting.queued, moving - arriving),
        stuck=waiting.stuck,
        workers_alive=await session.scalar(alive) or 0,
    )


async def fate(session: AsyncSession, window: Window) -> Fate:
    """Look at the newest renders of a window that ends now, a thousand at most."""
    newest = (
        select(RenderJob.id, RenderJob.created_at, RenderJob.position, RenderJob.provider_mode)
        .where(RenderJob.created_at < window.until)
        .order_by(RenderJob.id.desc())
        .limit(SAMPLE)
        .subquery()
    )
    rows = await session.execute(
        select(
            newest.c.created_at,
            newest.c.position,
            newest.c.provider_mode,
            RenderAttempt.created_at.label("sent_at"),
        )
        .join(
            RenderAttempt,
            and_(RenderAttempt.render_job_id == newest.c.id, RenderAttempt.number == 1),
        )
        .where(newest.c.created_at >= window.since)
    )
    return _fate(rows.all())


def _fate(rows: Sequence[Any]) -> Fate:
    waits = [
        max(0, round((row.sent_at - row.created_at) / timedelta(milliseconds=1))) for row in rows
    ]
    stubs = sum(row.provider_mode == ProviderMode.STUB for row in rows)
    return Fate(
        sampled=len(rows),
        queue_wait_ms=LatencyFigure.exact(waits),
        fallback_rate=RateFigure.of(sum(row.position > 0 for row in rows), len(rows)),
        stub_rate=RateFigure.of(stubs, len(rows)),
    )


def _standing(now: datetime) -> Any:
    queued = RenderJob.state == RenderState.QUEUED
    silent = RenderJob.updated_at < now - STUCK
    return (
        select(
            func.count(case((queued, 1))).label("queued"),
            func.count(case((RenderJob.state != RenderState.QUEUED, 1))).label("running"),
            func.min(case((queued, RenderJob.created_at))).label("oldest"),
            func.count(case((silent, 1))).label("stuck"),
        )
        .select_from(RenderJob)
        .where(IN_FLIGHT)
    )


def _pace(window: Window) -> Any:
    arrived = and_(Event.name == EventName.RENDER_DISPATCHED, Event.trusted.is_(True))
    return select(
        func.count(case((arrived, 1))).label("arrived"),
        func.count(case((has_ended(), 1))).label("ended"),
    ).where(within(window))


def _eta(queued: int, gain_per_minute: float) -> float | None:
    if not queued:
        return 0.0
    return round(60 * queued / gain_per_minute, 1) if gain_per_minute > 0 else None
