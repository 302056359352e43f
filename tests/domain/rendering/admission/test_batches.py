"""A batch of orders is decided as the same orders one by one."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy.ext.asyncio import AsyncConnection

from medici.domain.plans.service import install_defaults
from medici.domain.rendering.orders import Application
from medici.domain.rendering.service.admission.admit import Outcome, admit
from medici.kernel.db.database import Database
from medici.kernel.errors import MediciError
from tests.domain.rendering.admission.arranging import add_plans, arrange
from tests.domain.rendering.admission.worlds import World, worlds
from tests.domain.rendering.traces import Traces, traces, undone
from tests.doors.support import NOW
from tests.support.databases import Template, opened

# On SQLite and on PostgreSQL, where each example takes longer.
PROFILES = {"ci": (50, 50), "nightly": (3_000, 2_000)}
EXAMPLES = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)

Told = list[tuple[object, ...]]


def told(outcome: Outcome) -> tuple[object, ...]:
    if isinstance(outcome, MediciError):
        return (type(outcome).__name__, str(outcome))
    return ("admitted", outcome.id)


async def admitted(
    connection: AsyncConnection, batches: Sequence[Sequence[Application]]
) -> tuple[Told, Traces]:
    """Admit each batch in a transaction; return what came of it and take it all back."""
    outcomes: Told = []
    savepoint = await connection.begin_nested()
    for batch in batches:
        async with undone(connection) as session, session.begin():
            outcomes += map(told, await admit(session, batch, now=NOW))
    async with undone(connection) as session:
        left = await traces(session)
    await savepoint.rollback()
    return outcomes, left


async def compare(database: Database, world: World) -> None:
    async with database.engine.connect() as connection:
        await connection.begin()  # and never committed
        async with undone(connection) as session, session.begin():
            applications = await arrange(session, world)

        together = await admitted(connection, [applications])
        one_by_one = await admitted(connection, [[each] for each in applications])

        assert together == one_by_one


@asynccontextmanager
async def furnished(template: Template, directory: Path) -> AsyncIterator[Database]:
    """Give a database with everything in it that worlds have in common."""
    async with template.copy(directory) as url, opened(url) as database:
        async with database.transaction() as session:
            await install_defaults(session, now=NOW)
            await add_plans(session)
        yield database


class TestBatch:
    @pytest.mark.timeout(3600)  # a nightly run takes its time
    def test_does_the_same_as_one_by_one(self, template: Template, tmp_path: Path) -> None:
        with asyncio.Runner() as runner:
            house = furnished(template, tmp_path)
            database = runner.run(house.__aenter__())

            @settings(SETTINGS, max_examples=EXAMPLES[database.dialect != "sqlite"])
            @given(world=worlds())
            def same(world: World) -> None:
                runner.run(compare(database, world))

            try:
                same()
            finally:
                runner.run(house.__aexit__(None, None, None))
