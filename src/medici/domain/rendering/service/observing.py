"""What renders that have ended say about providers, and about a version that is being tried."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.rendering.models import AttemptState, RenderAttempt, RenderJob, RenderState
from medici.domain.routing.canaries import Health
from medici.domain.routing.circuits import HOPELESS, SICK
from medici.domain.routing.outlook import Measured, Work
from medici.domain.routing.trying import running_canary

RECENT = timedelta(days=1)
MOST_ROWS = 100_000  # jobs that are looked through, the youngest
MOST_ATTEMPTS = 30_000
MOST_SAMPLES = 500  # of each kind of work
MOST_JOBS = 2_000  # of each version
P50, P95 = 0.5, 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """How the version that is being tried does, and the one beside it that is in force."""

    version: int
    canary: Health
    baseline: Health


async def measured_work(session: AsyncSession, *, now: datetime) -> dict[Work, Measured]:
    """Return what each kind of work costs and how long it takes, by recent attempts."""
    samples: dict[Work, list[tuple[int, int]]] = defaultdict(list)
    for row in await session.execute(_samples(since=now - RECENT)):
        work = Work(row.provider, row.model, row.operation, row.tier)
        cost = row.estimated if row.actual is None else row.actual
        samples[work].append((_milliseconds(row.finished_at - row.created_at), cost))
    return {work: _measured(found) for work, found in samples.items()}


async def observed_canary(session: AsyncSession) -> Observed | None:
    """Return how the running canary does; None where none is running."""
    canary = await running_canary(session)
    if canary is None:
        return None
    return Observed(
        version=canary.version,
        canary=await _health(session, canary.version, canary.after_id),
        baseline=await _health(session, canary.baseline_version, canary.after_id),
    )


def _samples(*, since: datetime) -> Any:
    """Select the youngest successful attempts of each kind of work."""
    youngest = (
        select(RenderAttempt.id).order_by(RenderAttempt.id.desc()).limit(MOST_ATTEMPTS).subquery()
    )
    kind = (RenderAttempt.provider, RenderAttempt.model, RenderJob.operation, RenderJob.tier)
    place = func.row_number().over(partition_by=kind, order_by=RenderAttempt.id.desc())
    numbered = (
        select(
            *kind,
            RenderAttempt.created_at,
            RenderAttempt.finished_at,
            RenderAttempt.estimated_cost_micros.label("estimated"),
            RenderAttempt.actual_cost_micros.label("actual"),
            place.label("place"),
        )
        .join(youngest, youngest.c.id == RenderAttempt.id)
        .join(RenderJob, RenderJob.id == RenderAttempt.render_job_id)
        .where(
            RenderAttempt.state == AttemptState.SUCCEEDED,
            RenderAttempt.finished_at.is_not(None),
            RenderAttempt.created_at >= since,
        )
        .subquery()
    )
    return select(numbered).where(numbered.c.place <= MOST_SAMPLES)


def _measured(samples: Sequence[tuple[int, int]]) -> Measured:
    times = sorted(time for time, _ in samples)
    return Measured(
        samples=len(samples),
        p50_ms=_percentile(times, P50),
        p95_ms=_percentile(times, P95),
        cost_micros=round(sum(cost for _, cost in samples) / len(samples)),
    )


async def _health(session: AsyncSession, version: int, after_id: UUID) -> Health:
    """Return how a version's youngest finished jobs went, since a canary began."""
    youngest = (
        select(RenderJob.id)
        .where(RenderJob.id > after_id)
        .order_by(RenderJob.id.desc())
        .limit(MOST_ROWS)
        .subquery()
    )
    rows = await session.execute(
        select(
            RenderJob.state,
            RenderJob.created_at,
            RenderJob.finished_at,
            RenderJob.actual_cost_micros.label("cost"),
            _went_wrong().label("went_wrong"),
        )
        .join(youngest, youngest.c.id == RenderJob.id)
        .where(
            RenderJob.settings_version == version,
            RenderJob.finished_at.is_not(None),
            RenderJob.state != RenderState.CANCELED,
        )
        .order_by(RenderJob.id.desc())
        .limit(MOST_JOBS)
    )
    return _summed_up(rows.all())


def _went_wrong() -> ColumnElement[bool]:
    """Tell of a job whether it failed, or any provider failed it before another served it."""
    failed = exists().where(
        RenderAttempt.render_job_id == RenderJob.id,
        RenderAttempt.failure_code.in_(SICK | HOPELESS),
    )
    return or_(RenderJob.state.in_((RenderState.FAILED, RenderState.EXPIRED)), failed)


def _summed_up(jobs: Sequence[Any]) -> Health:
    served = [job for job in jobs if job.state is RenderState.SUCCEEDED]
    times = sorted(_milliseconds(job.finished_at - job.created_at) for job in served)
    costs = [job.cost or 0 for job in served]
    return Health(
        finished=len(jobs),
        failed=sum(1 for job in jobs if job.went_wrong),
        p95_latency_ms=_percentile(times, P95) if times else None,
        average_cost_micros=round(sum(costs) / len(costs)) if costs else None,
    )


def _percentile(rising: Sequence[int], share: float) -> int:
    """Return the value that at least this share of all does not exceed."""
    return rising[min(len(rising) - 1, int(share * len(rising)))]


def _milliseconds(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
