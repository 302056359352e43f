"""Two servers over one SQLite file: neither disturbs the other."""

import asyncio
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from medici.domain.rendering.models import RenderAttempt
from medici.jobs.models import Job
from medici.kernel.db.database import Database
from tests.faults.accounts import books, settled
from tests.faults.deployments import Layout, deployed
from tests.faults.journal import Journal
from tests.faults.load import under_load

LOAD_SECONDS = 6.0


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
class TestTwoProcesses:
    async def test_do_each_job_once_and_refuse_nobody(
        self, database: Database, database_url: str, tmp_path: Path, journal: Journal, draw: Random
    ) -> None:
        async with deployed(database_url, tmp_path / "data", Layout(servers=2)) as deployment:
            async with under_load(deployment, journal, draw):
                await asyncio.sleep(LOAD_SECONDS)
            await settled(database, within=60)
            told = await books(database, journal, deployment)

        assert told.discrepancies() == []
        assert set(told.answers) <= {200, 429}
        assert set(told.states) <= {"succeeded", "canceled"}
        assert await _sent_twice(database) == 0
        assert await _lost_by_a_worker(database) == 0


async def _sent_twice(database: Database) -> int:
    async with database.reading() as session:
        twice = select(func.count()).where(RenderAttempt.number > 1)
        return (await session.execute(twice)).scalar_one()


async def _lost_by_a_worker(database: Database) -> int:
    async with database.reading() as session:
        lost = select(func.count()).where((Job.losses > 0) | Job.last_error_code.is_not(None))
        return (await session.execute(lost)).scalar_one()
