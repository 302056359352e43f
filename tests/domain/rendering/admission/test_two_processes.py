"""Two processes admit, begin and end renders of the same customers at the same time."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import func, select, update

from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import Hold, HoldStatus, Wallet
from medici.domain.plans.models import Variable
from medici.domain.plans.variables import MAX_JOBS_IN_FLIGHT_PER_USER
from medici.domain.rendering.models import IN_FLIGHT, RenderJob
from medici.kernel.db.database import Database
from tests.domain.rendering.admission.rush import MOST_IN_FLIGHT, most_in_flight
from tests.support.studio import Studio

CUSTOMERS = {"poor-1": 2, "rich-1": 200, "poor-2": 5, "rich-2": 200}  # credits beside the day's
REFUSALS = {"CreditsMissing", "TooManyJobsInFlight"}
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


class TestTwoProcesses:
    async def test_neither_overdraw_nor_pass_a_limit_nor_block_each_other(
        self, studio: Studio, database: Database, database_url: str
    ) -> None:
        async with database.transaction() as session:
            limit = update(Variable).where(Variable.key == MAX_JOBS_IN_FLIGHT_PER_USER.key)
            await session.execute(limit.values(value=MOST_IN_FLIGHT))
        for name, credits in CUSTOMERS.items():
            await studio.customer(name, credits=credits)
            await studio.upload(name)

        async with rushing(database_url, 1) as left, rushing(database_url, 2) as right:
            both = await asyncio.gather(outcomes(left), outcomes(right))

        found = both[0] + both[1]
        assert found.keys() == {"admitted", *REFUSALS}
        async with database.reading() as session:
            assert await audit(session) == []
            assert await most_in_flight(session) <= MOST_IN_FLIGHT
            assert await session.scalar(select(func.count(RenderJob.id))) == found["admitted"]
            overdrawn = select(Wallet).where((Wallet.available < 0) | (Wallet.held < 0))
            assert (await session.scalars(overdrawn)).all() == []
            reserved = select(func.sum(Hold.amount)).where(Hold.status == HoldStatus.PENDING)
            priced = select(func.sum(RenderJob.credits)).where(IN_FLIGHT)
            assert await session.scalar(reserved) == await session.scalar(priced)
