"""Experiments are taken away, and brought back."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.errors import ExperimentNotFound
from medici.domain.assignments.models import Assignment, ExperimentStatus
from medici.domain.experiments import reading
from medici.domain.experiments.service.retiring import archive, purge
from medici.domain.experiments.service.setting_up import put
from tests.domain.experiments.set_ups import EVE, LATE, LATER, NOW, PAYWALL, assigned, set_up, told


class TestArchive:
    async def test_keeps_what_was_measured(self, session: AsyncSession) -> None:
        await set_up(session)
        await assigned(session)

        await archive(session, "paywall", act=LATE)

        one, _ = await reading.experiment(session, "paywall")
        assert (one.status, one.archived_at) == (ExperimentStatus.ARCHIVED, LATER)
        assert one.revision == 2
        assert await session.get(Assignment, ("paywall", "ada")) is not None
        assert await reading.page(session, limit=10) == []
        assert len(await reading.page(session, limit=10, archived=True)) == 1

    async def test_happens_once(self, session: AsyncSession) -> None:
        await set_up(session)
        await archive(session, "paywall", act=EVE)

        with pytest.raises(ExperimentNotFound):
            await archive(session, "paywall", act=EVE)
        with pytest.raises(ExperimentNotFound):
            await archive(session, "nothing", act=EVE)

    async def test_can_be_undone_with_everybody_drawn_anew(self, session: AsyncSession) -> None:
        await set_up(session)
        await archive(session, "paywall", act=EVE)

        made = await set_up(session, act=LATE)

        one = made.experiment
        assert (one.status, one.archived_at) == (ExperimentStatus.RUNNING, None)
        assert (one.bucket_version, one.seed, one.phase) == (1, "paywall:v1", 2)
        assert one.phase_started_at == LATER
        assert made.warnings[0] == "Everybody is drawn anew, and the ladder begins at 0 %."


class TestPurge:
    async def test_forgets_who_had_what(self, session: AsyncSession) -> None:
        await set_up(session)
        await put(session, "other", PAYWALL, act=EVE)
        await assigned(session)
        await assigned(session, "bob")
        await assigned(session, experiment_id="other")

        await purge(session, "paywall", act=EVE)

        left = await session.scalars(select(Assignment.experiment_id))
        assert list(left) == ["other"]
        assert await told(session, "experiment_deleted") == {
            "revision": 2,
            "purged": True,
            "exposures": 0,
            "assignments": 2,
        }

    async def test_comes_after_an_archive_too(self, session: AsyncSession) -> None:
        await set_up(session)
        await assigned(session)
        await archive(session, "paywall", act=EVE)

        await purge(session, "paywall", act=LATE)

        one, _ = await reading.experiment(session, "paywall")
        assert (one.archived_at, one.revision) == (NOW, 2)
        assert await session.scalar(select(func.count()).select_from(Assignment)) == 0
