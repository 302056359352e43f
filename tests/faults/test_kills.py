"""Processes are killed at random, and nothing that was acknowledged is lost or charged twice."""

import time
from pathlib import Path
from random import Random

import pytest

from medici.kernel.db.database import Database
from tests.faults.accounts import Books, books, settled
from tests.faults.deployments import Layout, deployed
from tests.faults.journal import Journal
from tests.faults.killer import Killer
from tests.faults.load import under_load
from tests.faults.processes import is_image_child
from tests.jobs.waiting import until_true

KILLS = 20
LAYOUTS = {"sqlite": Layout(), "postgresql": Layout(workers=2)}


class TestKills:
    @pytest.mark.timeout(300)
    async def test_lose_nothing_that_was_acknowledged(
        self, database: Database, database_url: str, tmp_path: Path, journal: Journal, draw: Random
    ) -> None:
        layout = LAYOUTS[database.dialect]
        async with deployed(database_url, tmp_path / "data", layout) as deployment:
            killer = Killer(deployment.processes, draw)
            async with under_load(deployment, journal, draw):
                await killer.strike(KILLS)
            await settled(database, within=killer.restarted_at + 25 - time.monotonic())
            took = time.monotonic() - killer.restarted_at
            told = await books(database, journal, deployment)
        await until_true(lambda: not any(map(is_image_child, killer.image_children)))

        print(_summary(told, killer, took))  # noqa: T201 - shown with a failure
        assert told.discrepancies() == []
        assert set(told.error_codes) <= {"worker_lost"}
        assert set(told.answers) <= {0, 200, 409, 429, 503}
        assert told.acknowledged > KILLS


def _summary(told: Books, killer: Killer, took: float) -> str:
    return (
        f"{told.acknowledged} acknowledged, {dict(told.states)}, {dict(told.error_codes)}, "
        f"answers {dict(told.answers)}, {len(killer.image_children)} image processes, "
        f"settled {took:.1f} s after the last restart"
    )
