"""A process that is asked to stop finishes what it has begun, or hands it back."""

import asyncio
import time
from pathlib import Path
from random import Random

import pytest

from medici.kernel.db.database import Database
from tests.faults.accounts import books, settled
from tests.faults.deployments import Layout, deployed
from tests.faults.journal import Journal
from tests.faults.load import under_load
from tests.faults.processes import is_image_child

LAYOUTS = {"sqlite": Layout(), "postgresql": Layout(workers=1)}
LOAD_SECONDS = 3.0
STOPPED_WITHIN_SECONDS = 25.0


class TestGracefulStop:
    @pytest.mark.timeout(180)
    async def test_loses_nothing_and_leaves_nothing_behind(
        self, database: Database, database_url: str, tmp_path: Path, journal: Journal, draw: Random
    ) -> None:
        layout = LAYOUTS[database.dialect]
        async with deployed(database_url, tmp_path / "data", layout) as deployment:
            async with under_load(deployment, journal, draw):
                await asyncio.sleep(LOAD_SECONDS)
                children = [pid for each in deployment.processes for pid in each.image_children()]
                asked_at = time.monotonic()
                codes = await asyncio.gather(*(each.terminate() for each in deployment.processes))
                took = time.monotonic() - asked_at
                for process in deployment.processes:
                    await process.start()
            await settled(database, within=60)
            told = await books(database, journal, deployment)

        assert codes == [0] * len(codes)
        assert took < STOPPED_WITHIN_SECONDS
        assert not any(map(is_image_child, children))
        assert told.discrepancies() == []
        assert set(told.error_codes) == set()
        assert set(told.states) <= {"succeeded", "canceled"}
        assert set(told.answers) <= {0, 200, 409, 429, 503}
