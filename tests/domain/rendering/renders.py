"""Carrying out one render, and telling how it went."""

from uuid import UUID

from tests.support.studio import Studio

FREE_PER_DAY = 3
START = 100 + FREE_PER_DAY
PRICE_IN_CREDITS = 2  # of a final picture on the free plan
PAID, REFUNDED = (START - PRICE_IN_CREDITS, 0), (START, 0)


async def rendered(studio: Studio) -> UUID:
    """Order a picture and let everything happen that will."""
    job_id = await studio.order()
    await studio.finish()
    return job_id


async def end_of(studio: Studio, job_id: UUID) -> tuple[str, str | None, str]:
    """Return how a job ended: state, code, and the provider it ended at."""
    job = await studio.job(job_id)
    assert job.finished_at is not None
    return job.state.value, job.error_code, job.provider


async def tries(studio: Studio, job_id: UUID) -> list[tuple[str, str, str | None]]:
    return [
        (attempt.provider, attempt.state.value, attempt.failure_code)
        for attempt in await studio.attempts(job_id)
    ]
