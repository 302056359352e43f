"""Running one claimed job, from its lease to its outcome."""

import asyncio
from typing import TypeVar

import structlog

from medici.jobs.claims import Claim
from medici.jobs.errors import LeaseLost, RunTimedOut, UnknownJobKind
from medici.jobs.failures import UNEXPECTED, failure_of
from medici.jobs.handlers import Handler, Registry
from medici.jobs.outcomes import Again, Done, Failed, HandedBack, Lost, Outcome
from medici.jobs.run import Run

R = TypeVar("R")
log = structlog.get_logger("medici.jobs")
UNKNOWN_KIND_WAIT_SECONDS = 5.0  # until a worker of the release that knows it may take it


async def perform(registry: Registry, run: Run[R], claim: Claim) -> Outcome:
    """Run a job's handler and tell how it went; only cancellation passes through."""
    with structlog.contextvars.bound_contextvars(job_id=str(claim.id), job_kind=claim.kind):
        try:
            handler = registry.handler(claim.kind)
        except UnknownJobKind as error:
            if registry.miss(claim.kind):  # it comes by every few seconds, and may be many
                log.warning("job.kind_unknown")
            return HandedBack(wait_seconds=UNKNOWN_KIND_WAIT_SECONDS, failure=failure_of(error))
        try:
            return await _timed(handler, run, claim) or Done()
        except LeaseLost:
            return Lost()
        except Exception as error:  # whatever a handler raises is its outcome, not our end
            failure = failure_of(error)
            if failure.code == UNEXPECTED:
                log.error("job.failed_unexpectedly", attempt=run.attempt, exc_info=error)
            return Failed(failure=failure)


async def _timed(handler: Handler[...], run: Run[R], claim: Claim) -> Again | None:
    limit = asyncio.timeout(handler.kind.timeout_seconds)
    try:
        async with limit:
            return await handler.carry_out(run, claim)
    except TimeoutError as error:
        if limit.expired():
            raise RunTimedOut(handler.kind.timeout_seconds) from error
        raise
