"""What the draft of the provider settings would have done to past renders. Operators."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from medici.domain.rendering.dry_run import DryRun, Forecast, Share, dry_run, past_jobs
from medici.domain.routing import history
from medici.domain.routing.measurements import outlook
from medici.domain.routing.queries import published
from medici.domain.routing.treating import provider_tests
from medici.doors.http.auth import Operator
from medici.doors.http.context import AppResources, Now
from medici.doors.http.sessions import ReadSession
from medici.kernel.db.driver.lent import driver_of

MOST_JOBS = 10_000

router = APIRouter(prefix="/v1/admin/provider-settings", tags=["provider settings"])


class ShareOut(BaseModel):
    """What one provider would get; cost and wait are null where nobody knows them."""

    provider: str
    jobs: int
    percent: float
    expected_cost_usd: float | None
    expected_wait_ms: int | None

    @classmethod
    def of(cls, share: Share) -> "ShareOut":
        cost = share.cost_micros
        return cls(
            provider=share.provider,
            jobs=share.jobs,
            percent=share.percent,
            expected_cost_usd=None if cost is None else cost / 1_000_000,
            expected_wait_ms=share.wait_ms,
        )


class ForecastOut(BaseModel):
    """``unserved`` jobs find no provider; of ``unpriced`` ones the cost is not known."""

    providers: list[ShareOut]
    unserved: int
    unpriced: int
    expected_cost_usd: float
    expected_wait_ms: int | None

    @classmethod
    def of(cls, forecast: Forecast) -> "ForecastOut":
        return cls(
            providers=[ShareOut.of(each) for each in forecast.shares],
            unserved=forecast.unserved,
            unpriced=forecast.unpriced,
            expected_cost_usd=forecast.cost_micros / 1_000_000,
            expected_wait_ms=forecast.wait_ms,
        )


class MoveOut(BaseModel):
    """Jobs that would change from one provider to another; null is none."""

    from_provider: str | None
    to_provider: str | None
    jobs: int


class DryRunOut(BaseModel):
    """Past jobs under the settings in force, and under the draft.

    ``tested`` jobs took part in a test of providers, which is left out of both; ``experiments``
    are the tests that run now, and will change what the draft says.
    """

    jobs: int
    tested: int
    experiments: list[str]
    version: int
    revision: int
    published: ForecastOut
    draft: ForecastOut
    moves: list[MoveOut]

    @classmethod
    def of(cls, run: DryRun, *, version: int, revision: int, experiments: list[str]) -> "DryRunOut":
        return cls(
            jobs=run.jobs,
            tested=run.tested,
            experiments=experiments,
            version=version,
            revision=revision,
            published=ForecastOut.of(run.published),
            draft=ForecastOut.of(run.draft),
            moves=[
                MoveOut(from_provider=each.source, to_provider=each.target, jobs=each.jobs)
                for each in run.moves
            ],
        )


@router.post("/draft/dry-run")
async def run_draft_dry(
    _operator: Operator,
    session: ReadSession,
    resources: AppResources,
    now: Now,
    jobs: Annotated[int, Query(ge=1, le=MOST_JOBS, description="How many, the youngest.")] = 500,
) -> DryRunOut:
    """Choose again for past renders, by the draft and by what is in force. Writes nothing.

    Only whom each render would go to first is foreseen; who then fails is not.
    """
    in_force, draft = await published(session), await history.draft(session)
    run = await asyncio.to_thread(  # thousands of choices, while others want to be answered
        dry_run,
        await past_jobs(session, limit=jobs),
        published=in_force.settings,
        draft=draft.settings,
        able=resources.providers.able,
        outlook=await outlook(session, now=now),
    )
    tests = await provider_tests(await driver_of(session), now=now)
    return DryRunOut.of(
        run,
        version=in_force.version,
        revision=draft.revision,
        experiments=[test.experiment_id for test in tests],
    )
