"""Renders as operators see them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.painters import Painter
from tests.support.provider_tests import OTHER, TO_ADA, begun
from tests.support.studio import Studio, opened_studio

URL = "/v1/admin/render-jobs"


@pytest.fixture
async def studio(database: Database, tmp_path: Path, clock: Hands) -> AsyncIterator[Studio]:
    painters = (Painter(), Painter(name="sculptor"))
    async with opened_studio(database, tmp_path, *painters, clock=clock) as studio:
        await studio.customer()
        yield studio


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    return await visit("")


class TestWatchedJob:
    async def test_names_the_experiment_that_chose_its_providers(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await begun(studio, overrides=TO_ADA)
        job_id = await studio.order()
        await studio.work()

        shown = (await operator.get(f"{URL}/{job_id}")).json()

        assert (shown["experiment_id"], shown["variant_id"]) == ("providers", OTHER)
        assert shown["candidates"] == ["sculptor", "painter"]
        assert [each["provider"] for each in shown["provider_attempts"]] == ["sculptor"]
        assert (shown["user_id"], shown["plan_id"], shown["settings_version"]) == ("ada", "free", 1)

    async def test_names_none_where_none_did(self, operator: Visitor, studio: Studio) -> None:
        shown = (await operator.get(f"{URL}/{await studio.order()}")).json()

        assert (shown["experiment_id"], shown["variant_id"]) == (None, None)

    async def test_that_nobody_has_is_not_found(self, operator: Visitor) -> None:
        answer = await operator.get(f"{URL}/{new_id()}")

        assert (answer.status_code, answer.json()) == (404, {"detail": "job_not_found"})

    async def test_is_shown_to_its_owner_without_the_experiment(
        self, visit: Visit, studio: Studio
    ) -> None:
        await begun(studio, overrides=TO_ADA)
        job_id = await studio.order()

        shown = (await (await visit("ada")).get(f"/v1/ai/render-jobs/{job_id}")).json()

        assert "experiment_id" not in shown
