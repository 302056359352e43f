"""Celery's workers are killed and stopped under load, and no customer can tell."""

import asyncio
import time
from pathlib import Path
from random import Random

import pytest

from medici.kernel.db.database import Database
from tests.faults.accounts import books, settled
from tests.faults.deployments import Layout, deployed
from tests.faults.journal import Journal
from tests.faults.killer import Killer
from tests.faults.load import Habits, under_load
from tests.worker.brokers import Broker

KILLS = 6
BETWEEN_SECONDS = 0.5
STOPPED_WITHIN_SECONDS = 25.0
LEASE_SECONDS = 3.0
HABITS = Habits(per_second=10.0)


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)
class TestCeleryWorkers:
    @pytest.mark.timeout(240)
    async def test_may_be_killed_at_any_moment(
        self,
        *,
        database: Database,
        database_url: str,
        broker: Broker,
        tmp_path: Path,
        journal: Journal,
        draw: Random,
    ) -> None:
        layout = Layout(workers=2, broker_url=broker.url, lease_seconds=LEASE_SECONDS)
        async with deployed(database_url, tmp_path / "data", layout) as deployment:
            killer = Killer([*deployment.workers, *deployment.beats], draw)
            async with under_load(deployment, journal, draw, HABITS):
                await killer.strike(KILLS)
            await settled(database, within=30)
            told = await books(database, journal, deployment)

        assert told.discrepancies() == []
        assert set(told.answers) <= {200, 409, 429}
        assert set(told.error_codes) <= {"worker_lost"}
        assert told.acknowledged > KILLS

    @pytest.mark.timeout(240)
    async def test_finish_or_hand_back_when_they_are_told_to_stop(
        self,
        *,
        database: Database,
        database_url: str,
        broker: Broker,
        tmp_path: Path,
        journal: Journal,
        draw: Random,
    ) -> None:
        took, codes = [], []
        layout = Layout(workers=2, broker_url=broker.url)
        async with deployed(database_url, tmp_path / "data", layout) as deployment:
            async with under_load(deployment, journal, draw, HABITS):
                for worker in deployment.workers:
                    await asyncio.sleep(BETWEEN_SECONDS)
                    asked_at = time.monotonic()
                    codes.append(await worker.terminate())
                    took.append(time.monotonic() - asked_at)
                    await worker.start()
                    await worker.up()
            await settled(database, within=30)
            told = await books(database, journal, deployment)

        assert codes == [0] * len(codes)
        assert max(took) < STOPPED_WITHIN_SECONDS
        assert told.discrepancies() == []
        assert set(told.answers) <= {200, 409, 429}
        assert set(told.states) <= {"succeeded", "canceled"}
