"""What a draft would have done to the renders of the past."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from medici.adapters.providers.request import Operation, Tier
from medici.domain.identity.models import AuditEntry
from medici.domain.rendering.models import RenderJob
from medici.domain.routing.measurements import note_measurements
from medici.domain.routing.models import ProviderSettingsDraft, ProviderSettingsVersion
from medici.domain.routing.outlook import Measured, Work
from medici.kernel.db.database import Database
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.painters import Painter
from tests.support.provider_tests import OTHER, begun
from tests.support.studio import Studio, opened_studio

SETTINGS = "/v1/admin/provider-settings"
JOBS = 10


@pytest.fixture
async def studio(database: Database, tmp_path: Path, clock: Hands) -> AsyncIterator[Studio]:
    painters = (Painter(name="fal"), Painter(name="openai"))
    async with opened_studio(database, tmp_path, *painters, clock=clock) as studio:
        await studio.customer("ada")
        for _ in range(JOBS):
            await studio.order("ada", tier=Tier.PREVIEW)
        async with database.transaction() as session:
            await note_measurements(
                session,
                {
                    work("fal"): Measured(
                        samples=9, p50_ms=4_000, p95_ms=9_000, cost_micros=30_000
                    ),
                    work("openai"): Measured(
                        samples=9, p50_ms=8_000, p95_ms=20_000, cost_micros=10_000
                    ),
                },
                now=clock(),
            )
        yield studio


def work(provider: str) -> Work:
    return Work(provider, f"{provider}-small", Operation.RESTYLE, Tier.PREVIEW)


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    return await visit("")


async def foreseen(operator: Visitor, route: dict[str, Any], jobs: int = 500) -> dict[str, Any]:
    """Draft a route for restyling and run it dry."""
    drafted = await operator.client.put(
        f"{SETTINGS}/draft", json={"operation_routes": {"restyle": route}}
    )
    assert drafted.status_code == 200, drafted.text
    answer = await operator.post(f"{SETTINGS}/draft/dry-run?jobs={jobs}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def rows(database: Database) -> list[int]:
    async with database.reading() as session:
        return [
            await session.scalar(select(func.count()).select_from(table)) or 0
            for table in (ProviderSettingsDraft, ProviderSettingsVersion, AuditEntry, RenderJob)
        ]


class TestDryRun:
    async def test_foresees_shares_cost_and_wait(self, operator: Visitor) -> None:
        found = await foreseen(operator, {"preview_provider": "openai"})

        assert found == {
            "jobs": JOBS,
            "tested": 0,
            "experiments": [],
            "version": 1,
            "revision": 1,
            "published": {
                "providers": [
                    {
                        "provider": "fal",
                        "jobs": 10,
                        "percent": 100,
                        "expected_cost_usd": 0.3,
                        "expected_wait_ms": 4_000,
                    }
                ],
                "unserved": 0,
                "unpriced": 0,
                "expected_cost_usd": 0.3,
                "expected_wait_ms": 4_000,
            },
            "draft": {
                "providers": [
                    {
                        "provider": "openai",
                        "jobs": 10,
                        "percent": 100,
                        "expected_cost_usd": 0.1,
                        "expected_wait_ms": 8_000,
                    }
                ],
                "unserved": 0,
                "unpriced": 0,
                "expected_cost_usd": 0.1,
                "expected_wait_ms": 8_000,
            },
            "moves": [{"from_provider": "fal", "to_provider": "openai", "jobs": 10}],
        }

    @pytest.mark.parametrize(("strategy", "first"), [("cheapest", "openai"), ("fastest", "fal")])
    async def test_compares_as_a_render_would(
        self, operator: Visitor, strategy: str, first: str
    ) -> None:
        found = await foreseen(operator, {"strategy": strategy})

        assert [share["provider"] for share in found["draft"]["providers"]] == [first]

    async def test_draws_as_each_render_would(self, operator: Visitor, studio: Studio) -> None:
        halves = [{"provider": "fal", "weight": 50}, {"provider": "openai", "weight": 50}]

        once = await foreseen(operator, {"preview_providers": halves})
        again = await foreseen(operator, {"preview_providers": halves})

        assert once["draft"] == again["draft"]
        assert sum(share["jobs"] for share in once["draft"]["providers"]) == JOBS

    async def test_looks_at_the_youngest_alone(self, operator: Visitor) -> None:
        assert (await foreseen(operator, {}, jobs=4))["jobs"] == 4

    async def test_says_which_jobs_were_in_an_experiment_and_which_run_now(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await begun(studio, overrides={"grace": OTHER})
        await studio.customer("grace")
        for _ in range(2):
            await studio.order("grace", tier=Tier.PREVIEW)

        found = await foreseen(operator, {})

        assert (found["jobs"], found["tested"]) == (JOBS + 2, 2)
        assert found["experiments"] == ["providers"]

    async def test_writes_nothing(self, operator: Visitor, studio: Studio) -> None:
        before = await rows(studio.database)

        await operator.post(f"{SETTINGS}/draft/dry-run")

        assert await rows(studio.database) == before


class TestAdmission:
    @pytest.mark.parametrize(("strategy", "first"), [("cheapest", "openai"), ("fastest", "fal")])
    async def test_goes_by_what_was_measured(
        self, operator: Visitor, studio: Studio, strategy: str, first: str
    ) -> None:
        await operator.client.put(
            SETTINGS, json={"operation_routes": {"restyle": {"strategy": strategy}}}
        )

        await studio.customer("grace")

        job = await studio.job(await studio.order("grace", tier=Tier.PREVIEW))

        assert (job.provider, job.settings_version) == (first, 2)
