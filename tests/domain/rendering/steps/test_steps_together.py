"""The steps of many renders are taken together as they are one by one."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from medici.domain.pictures.work import DISCARD
from medici.domain.rendering.service.beginning import Beginning, Begun, Outcome, begin_all
from medici.domain.rendering.service.choosing import Wait
from medici.domain.rendering.service.delivering import deliver_all
from medici.jobs.models import Job
from medici.kernel.db.database import Database
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver
from tests.domain.rendering.steps.pasts import (
    CUSTOMERS,
    HOUSES,
    PRICE,
    PROVIDERS,
    House,
    bring_about,
    delivery_of,
)
from tests.domain.rendering.traces import Traces, traces, undone
from tests.doors.support import NOW
from tests.support.databases import Template, opened
from tests.support.painters import Painter
from tests.support.studio import opened_studio

Item = TypeVar("Item")

# On SQLite and on PostgreSQL, where each example takes longer.
PROFILES = {"ci": (30, 25), "nightly": (2_000, 1_500)}
EXAMPLES = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
Step = Callable[[Driver, Sequence[Item]], Awaitable[Sequence[object]]]


async def taken(
    connection: AsyncConnection, step: Step[Item], batches: Sequence[Sequence[Item]]
) -> tuple[list[object], Traces]:
    """Take each batch in a transaction; return what came of it and take it all back."""
    answers: list[object] = []
    savepoint = await connection.begin_nested()
    for batch in batches:
        async with undone(connection) as session, session.begin():
            answers += await step(await driver_of(session), batch)
    async with undone(connection) as session:
        left = await traces(session, without={Job})
        left["unwanted"] = await unwanted(session)
    await savepoint.rollback()
    return answers, left


async def unwanted(session: AsyncSession) -> list[str]:
    """Return what is to be thrown away; together that is one job instead of several."""
    discards = await session.scalars(select(Job.args).where(Job.kind == DISCARD.name))
    return sorted(str(key) for args in discards for key in cast("list[str]", args["keys"]))


async def begun(driver: Driver, beginnings: Sequence[Beginning]) -> list[object]:
    return [_told(outcome) for outcome in await begin_all(driver, beginnings)]


def _told(outcome: Outcome) -> object:
    match outcome:
        case Begun():
            return outcome.job.id, outcome.attempt.number, outcome.attempt.provider, outcome.resumed
        case Wait():
            return outcome.until
        case _:
            return type(outcome)


async def compare(database: Database, house: House, dice: st.DataObject) -> None:
    async with database.engine.connect() as connection:
        await connection.begin()  # and never committed
        async with undone(connection) as session, session.begin():
            made = dice.draw(st.permutations(await bring_about(session, house)))

        beginnings = [
            Beginning(job_id=job, vendors=house.vendors, estimate=lambda _: PRICE, now=NOW)
            for job, _ in made
        ]
        deliveries = [
            delivery_of(job, attempt, now=NOW) for job, attempt in made if attempt is not None
        ]
        assert await taken(connection, begun, [beginnings]) == await taken(
            connection, begun, [[each] for each in beginnings]
        )
        assert await taken(connection, deliver_all, [deliveries]) == await taken(
            connection, deliver_all, [[each] for each in deliveries]
        )


@asynccontextmanager
async def furnished(template: Template, directory: Path) -> AsyncIterator[Database]:
    """Give a database with providers, plans and customers in it."""
    async with template.copy(directory) as url, opened(url) as database:
        painters = (Painter(name=name) for name in PROVIDERS)
        async with opened_studio(database, directory, *painters) as studio:
            for name in CUSTOMERS * 8:
                await studio.customer(name, credits=1)  # so that most prices take several grants
            yield database


class TestSteps:
    @pytest.mark.timeout(3600)  # a nightly run takes its time
    def test_do_the_same_together_as_one_by_one(self, template: Template, tmp_path: Path) -> None:
        with asyncio.Runner() as runner:
            place = furnished(template, tmp_path)
            database = runner.run(place.__aenter__())

            @settings(SETTINGS, max_examples=EXAMPLES[database.dialect != "sqlite"])
            @given(house=HOUSES, dice=st.data())
            def same(house: House, dice: st.DataObject) -> None:
                runner.run(compare(database, house, dice))

            try:
                same()
            finally:
                runner.run(place.__aexit__(None, None, None))
