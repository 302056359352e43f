"""The facts that a render leaves for analytics."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.events import service as events
from medici.domain.events.facts import EventName, Fact
from medici.domain.rendering import rules
from medici.domain.rendering.models import RenderAttempt, RenderJob
from medici.domain.rendering.rows import JobRow


async def record_job(
    session: AsyncSession, job: RenderJob, name: EventName, *, now: datetime
) -> None:
    """Record where a job stands now, with its latency and cost once it has ended."""
    await events.record(session, job_fact(job, name, now=now), now=now)


def job_fact(job: RenderJob | JobRow, name: EventName, *, now: datetime) -> Fact:
    """Tell where a job stands now."""
    ended = job.finished_at is not None
    return Fact(
        name=name,
        user_id=job.user_id,
        platform=job.platform,
        provider=job.provider,
        model=job.provider_model,
        operation=job.operation,
        tier=job.tier,
        status=rules.WIRE_STATUS[job.state],
        latency_ms=_milliseconds(job.created_at, now) if ended else None,
        cost_micros=job.actual_cost_micros if ended else None,
        credits=job.credits,
        plan_id=job.plan_id,
        project_id=job.project_id,
        style_id=job.style_id,
        render_job_id=job.id,
        error_code=job.error_code,
        properties=_experiment(job),
    )


async def record_failed_attempt(
    session: AsyncSession, job: RenderJob, attempt: RenderAttempt, *, now: datetime
) -> None:
    """Record that a provider did not deliver."""
    await events.record(
        session,
        Fact(
            name=EventName.RENDER_PROVIDER_ATTEMPT_FAILED,
            user_id=job.user_id,
            platform=job.platform,
            provider=attempt.provider,
            model=attempt.model,
            operation=job.operation,
            tier=job.tier,
            status="failed",
            latency_ms=_milliseconds(attempt.created_at, now),
            plan_id=job.plan_id,
            render_job_id=job.id,
            error_code=attempt.failure_code,
            properties=_experiment(job),
        ),
        now=now,
    )


def _experiment(job: RenderJob | JobRow) -> dict[str, object]:
    """Name the experiment that chose the providers."""
    if job.experiment_id is None:
        return {}
    return {"experiment_id": job.experiment_id, "variant_id": job.variant_id}


def _milliseconds(since: datetime, now: datetime) -> int:
    return max(0, round((now - since).total_seconds() * 1000))
