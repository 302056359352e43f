"""Processes that have done much do not become heavier for it."""

import asyncio
import os
import time
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from medici.domain.rendering.models import TERMINAL, RenderJob
from medici.kernel.db.database import Database
from tests.faults.accounts import books, settled
from tests.faults.deployments import Layout, deployed
from tests.faults.journal import Journal
from tests.faults.load import Habits, under_load
from tests.faults.memory import Weight
from tests.worker.brokers import Broker

RENDERS = int(os.environ.get("MEDICI_MEMORY_RENDERS") or 300)  # a night has time for 100,000
WARM_UP = 100  # so many until caches, pools and threads are as large as they become
MOST_GROWTH_MIB = 8.0 if RENDERS < 10_000 else 32.0
MOST_MORE_FILES = 40  # connections of a pool that had not been needed before
SLOWEST_PER_SECOND = 2
LOOK_SECONDS = 0.5
HABITS = Habits(per_second=60.0, canceled=0.0, repainted=0.0)


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)
class TestMemory:
    @pytest.mark.timeout(120 + (WARM_UP + RENDERS) / SLOWEST_PER_SECOND)
    async def test_does_not_grow_with_what_has_been_done(
        self,
        *,
        database: Database,
        database_url: str,
        broker: Broker,
        tmp_path: Path,
        journal: Journal,
        draw: Random,
    ) -> None:
        layout = Layout(workers=1, broker_url=broker.url)
        async with deployed(database_url, tmp_path / "data", layout) as deployment:
            watched = [*deployment.servers, *deployment.workers]
            async with under_load(deployment, journal, draw, HABITS):
                await _ended(database, WARM_UP)
                before, begun_at = [Weight.of(each) for each in watched], time.monotonic()
                await _ended(database, WARM_UP + RENDERS)
                after, took = [Weight.of(each) for each in watched], time.monotonic() - begun_at
            await settled(database, within=60)
            told = await books(database, journal, deployment)

        for name, weight, later in zip(("server", "worker"), before, after, strict=True):
            print(f"{name}: {weight} -> {later} by {RENDERS} renders in {took:.0f} s")  # noqa: T201
            assert later.mib - weight.mib < MOST_GROWTH_MIB
            assert later.files - weight.files < MOST_MORE_FILES
        assert told.discrepancies() == []


async def _ended(database: Database, count: int) -> None:
    """Wait until so many renders have ended."""
    ended = select(func.count()).where(RenderJob.state.in_(TERMINAL))
    async with asyncio.timeout(60 + count / SLOWEST_PER_SECOND):
        while True:
            async with database.reading() as session:
                if (await session.execute(ended)).scalar_one() >= count:
                    return
            await asyncio.sleep(LOOK_SECONDS)
