"""A batch of orders is decided as the same orders one by one."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from medici.domain.plans.service import install_defaults
from medici.domain.rendering.orders import Application
from medici.domain.rendering.service.admission.admit import Outcome, admit
from medici.kernel.db.database import Database
from medici.kernel.errors import MediciError
from tests.domain.rendering.admission.arranging import add_plans, arrange
from tests.domain.rendering.admission.traces import Traces, traces
from tests.domain.rendering.admission.worlds import World, worlds
from tests.doors.support import NOW
from tests.support.databases import Template

# On SQLite and on PostgreSQL, where each example takes longer.
PROFILES = {"ci": (50, 50), "nightly": (3_000, 2_000)}
EXAMPLES = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)

Told = list[tuple[object, ...]]


def transaction(connection: AsyncConnection) -> AsyncSession:
    """Give a session whose commit ends a savepoint, so that it can be taken back."""
    return AsyncSession(
        connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
    )


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
        async with transaction(connection) as session, session.begin():
            outcomes += map(told, await admit(session, batch, now=NOW))
    async with transaction(connection) as session:
        left = await traces(session)
    await savepoint.rollback()
    return outcomes, left


async def compare(database: Database, world: World) -> None:
    async with database.engine.connect() as connection:
        await connection.begin()  # and never committed
        async with transaction(connection) as session, session.begin():
            applications = await arrange(session, world)

        together = await admitted(connection, [applications])
        one_by_one = await admitted(connection, [[each] for each in applications])

        assert together == one_by_one


async def prepared(url: str) -> Database:
    database = Database.open(url)
    async with database.transaction() as session:
        await install_defaults(session, now=NOW)
        await add_plans(session)
    return database


class TestBatch:
    @pytest.mark.timeout(3600)  # a nightly run takes its time
    def test_does_the_same_as_one_by_one(self, template: Template, tmp_path: Path) -> None:
        with asyncio.Runner() as runner:
            copy = template.copy(tmp_path)
            database = runner.run(prepared(runner.run(copy.__aenter__())))

            @settings(SETTINGS, max_examples=EXAMPLES[database.dialect != "sqlite"])
            @given(world=worlds())
            def same(world: World) -> None:
                runner.run(compare(database, world))

            try:
                same()
            finally:
                runner.run(database.close())
                runner.run(copy.__aexit__(None, None, None))
