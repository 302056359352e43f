"""What tests of providers ask of the database as orders are admitted."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from medici.adapters.providers.request import Operation, Tier
from medici.domain.assignments.variables import HOLDOUT_PERCENT
from medici.domain.plans.models import Variable
from medici.domain.rendering.orders import Application, ImageSource, RenderOrder
from medici.domain.rendering.rows import JobRow
from medici.domain.rendering.service.admission.admit import admit_on
from medici.kernel.db.database import Database
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.ids import new_id
from tests.support.painters import Painter
from tests.support.provider_tests import OTHER, TO_SCULPTOR, begun
from tests.support.studio import Studio, opened_studio

USERS = tuple(f"user-{number}" for number in range(5))
PHOTO = ImageSource(url="https://example.com/room.jpg")


@dataclass
class Counting:
    """A driver that remembers what it was asked."""

    driver: Driver
    asked: list[str] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        return self.driver.engine

    async def fetch(self, sql: str, arguments: Sequence[object]) -> Sequence[Sequence[Any]]:
        self.asked.append(sql)
        return await self.driver.fetch(sql, arguments)

    def after_commit(self, follow: Callable[[], None]) -> None:
        self.driver.after_commit(follow)

    @property
    def about_experiments(self) -> list[str]:
        """The first word of each statement about experiments or assignments."""
        return [sql.split()[0] for sql in self.asked if "experiment" in _but_columns(sql)]


def _but_columns(sql: str) -> str:
    return sql.replace("experiment_id", "") if "render_jobs" in sql else sql


@pytest.fixture
async def studio(database: Database, tmp_path: Path) -> AsyncIterator[Studio]:
    painters = (Painter(), Painter(name="sculptor"))
    async with opened_studio(database, tmp_path, *painters) as studio:
        for user_id in USERS:
            await studio.customer(user_id)
        yield studio


async def admitted(
    studio: Studio, users: Sequence[str] = USERS, platform: str | None = None
) -> tuple[Counting, list[str | None]]:
    """Have one order of each user admitted together; return what was asked, and the variants."""
    order = RenderOrder(
        project_id="home",
        style_id="modern",
        operation=Operation.RESTYLE,
        image=PHOTO,
        tier=Tier.PREVIEW,
        platform=platform,
    )
    applications = [
        Application(
            job_id=new_id(),
            user_id=user_id,
            order=order,
            registered=studio.resources.providers.names,
        )
        for user_id in users
    ]
    async with studio.database.transaction() as session:
        driver = Counting(await driver_of(session))
        outcomes = await admit_on(driver, applications, now=studio.clock())
    jobs = [each for each in outcomes if isinstance(each, JobRow)]
    assert len(jobs) == len(users)
    return driver, [job.variant_id for job in jobs]


class TestStatements:
    async def test_without_a_test_nothing_is_asked_but_once_a_second(self, studio: Studio) -> None:
        first, _ = await admitted(studio)
        second, _ = await admitted(studio)
        studio.clock.advance(timedelta(seconds=1))
        third, _ = await admitted(studio)

        assert first.about_experiments == ["SELECT"]
        assert second.about_experiments == []
        assert third.about_experiments == ["SELECT"]
        assert len(first.asked) == len(third.asked) == len(second.asked) + 1

    async def test_a_test_of_something_else_costs_no_more(self, studio: Studio) -> None:
        await begun(studio, {"control": None, OTHER: None})
        await admitted(studio)

        second, variants = await admitted(studio)

        assert (second.about_experiments, set(variants)) == ([], {None})

    async def test_newcomers_are_read_and_written_together(self, studio: Studio) -> None:
        await begun(studio)
        await admitted(studio, USERS[:1])

        batch, variants = await admitted(studio, USERS[1:])

        assert batch.about_experiments == ["SELECT", "INSERT"]
        assert None not in variants

    async def test_those_who_are_known_are_read_together(self, studio: Studio) -> None:
        await begun(studio)
        _, before = await admitted(studio)

        batch, after = await admitted(studio)

        assert (batch.about_experiments, after) == (["SELECT"], before)

    async def test_a_user_is_asked_about_once_in_a_batch(self, studio: Studio) -> None:
        await begun(studio, TO_SCULPTOR)

        batch, variants = await admitted(studio, [USERS[0]] * 3)

        assert batch.about_experiments == ["SELECT", "SELECT", "INSERT"]
        assert len(set(variants)) == 1


class TestTargeting:
    @pytest.mark.parametrize(("platform", "takes_part"), [("iOS", True), ("web", False)])
    async def test_goes_by_the_platform_of_the_order(
        self, studio: Studio, platform: str, *, takes_part: bool
    ) -> None:
        await begun(studio, targeting={"platform": ["ios"]})

        _, variants = await admitted(studio, platform=platform)

        assert [each is not None for each in variants] == [takes_part] * len(USERS)

    async def test_whoever_was_taken_in_stays_in(self, studio: Studio) -> None:
        await begun(studio, targeting={"platform": ["ios"]})
        _, before = await admitted(studio, platform="ios")

        _, after = await admitted(studio, platform="web")

        assert after == before

    async def test_leaves_the_holdout_alone(self, studio: Studio) -> None:
        await begun(studio)
        async with studio.database.transaction() as session:
            tuned = Variable(key=HOLDOUT_PERCENT.key, value=20.0, updated_at=studio.clock())
            await session.merge(tuned)

        _, variants = await admitted(studio)

        held_out = [user_id for user_id, each in zip(USERS, variants, strict=True) if each is None]
        assert held_out == ["user-3"]
