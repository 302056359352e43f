"""Two processes admit, begin and end renders of the same customers at the same time."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import func, select, update

from medici.domain.billing.models import ResetScheduleRow
from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import Hold, HoldStatus, Wallet
from medici.domain.plans.models import Variable
from medici.domain.plans.variables import DAILY_CREDIT_LIMIT_ENABLED, MAX_JOBS_IN_FLIGHT_PER_USER
from medici.domain.rendering.models import IN_FLIGHT, RenderJob
from medici.kernel.db.database import Database
from tests.domain.rendering.admission.rush import MOST_IN_FLIGHT, most_in_flight
from tests.support.studio import Studio

CUSTOMERS = {"poor-1": 2, "rich-1": 200, "poor-2": 5, "rich-2": 200}  # credits beside the day's
REFUSALS = {True: ["CreditsMissing", "TooManyJobsInFlight"], False: ["TooManyJobsInFlight"]}
PATIENCE_SECONDS = 60


@asynccontextmanager
async def rushing(url: str, seed: int) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.domain.rendering.admission.rush", url, str(seed)),
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def outcomes(process: Process) -> Counter[str]:
    """Let a process begin; return how often each outcome came."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        said, _ = await process.communicate(b"go\n")
    assert process.returncode == 0
    return Counter(json.loads(said))


async def set_up(studio: Studio, *, charged: bool) -> None:
    """Set a low limit; where renders cost nothing, no wallet is touched either."""
    values = {
        MAX_JOBS_IN_FLIGHT_PER_USER.key: MOST_IN_FLIGHT,
        DAILY_CREDIT_LIMIT_ENABLED.key: charged,
    }
    async with studio.database.transaction() as session:
        for key, value in values.items():
            await session.execute(update(Variable).where(Variable.key == key).values(value=value))
        session.add(ResetScheduleRow(enabled=charged, reset_hour_utc=0, reset_minute_utc=0))
    for name, credits in CUSTOMERS.items():
        await studio.customer(name, credits=credits)
        await studio.upload(name)


class TestTwoProcesses:
    @pytest.mark.parametrize("charged", [True, False])
    async def test_neither_overdraw_nor_pass_a_limit_nor_block_each_other(
        self, studio: Studio, database: Database, database_url: str, charged: bool
    ) -> None:
        await set_up(studio, charged=charged)

        async with rushing(database_url, 1) as left, rushing(database_url, 2) as right:
            both = await asyncio.gather(outcomes(left), outcomes(right))

        found = both[0] + both[1]
        assert found.keys() == {"admitted", *REFUSALS[charged]}
        async with database.reading() as session:
            assert await audit(session) == []
            assert await most_in_flight(session) <= MOST_IN_FLIGHT
            assert await session.scalar(select(func.count(RenderJob.id))) == found["admitted"]
            overdrawn = select(Wallet).where((Wallet.available < 0) | (Wallet.held < 0))
            assert (await session.scalars(overdrawn)).all() == []
            reserved = select(func.coalesce(func.sum(Hold.amount), 0)).where(
                Hold.status == HoldStatus.PENDING
            )
            priced = select(func.coalesce(func.sum(RenderJob.credits), 0)).where(IN_FLIGHT)
            assert await session.scalar(reserved) == await session.scalar(priced)
