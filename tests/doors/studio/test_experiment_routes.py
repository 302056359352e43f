"""Making the routes of a winner everybody's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from medici.domain.identity.models import AuditEntry
from medici.domain.routing.history import draft
from medici.domain.routing.queries import PublishedSettings, published
from medici.kernel.db.database import Database
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.painters import Painter
from tests.support.provider_tests import CONTROL, OTHER, begun, change, roll_out, routes, variant
from tests.support.studio import Studio, opened_studio

URL = "/v1/admin/experiments/providers/rollout/publish-routes"
SETTINGS = "/v1/admin/provider-settings"
FOR_REAL = {"dry_run": "false", "actor": "eve", "reason": "cheaper"}
CHANGES = [
    {
        "path": f"/operation_routes/restyle/{tier}_provider",
        "kind": "changed",
        "before": "fal",
        "after": "openai",
    }
    for tier in ("final", "preview")
]


@pytest.fixture
async def studio(database: Database, tmp_path: Path, clock: Hands) -> AsyncIterator[Studio]:
    painters = (Painter(name="fal"), Painter(name="openai"))
    async with opened_studio(database, tmp_path, *painters, clock=clock) as studio:
        yield studio


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    return await visit("")


async def won(studio: Studio, percent: int = 100) -> None:
    """Have a test of providers run whose winner is on a step of the ladder."""
    await begun(studio, {CONTROL: None, OTHER: routes("openai")})
    async with studio.database.transaction() as session:
        await roll_out(session, "providers", percent=percent)


async def in_force(studio: Studio) -> PublishedSettings:
    async with studio.database.reading() as session:
        return await published(session)


async def adopted(operator: Visitor, **query: str) -> httpx.Response:
    return await operator.client.post(URL, params=query)


async def adoption(operator: Visitor, **query: str) -> dict[str, Any]:
    answer = await adopted(operator, **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


class TestDryRun:
    async def test_shows_what_would_change_and_writes_nothing(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await won(studio)

        assert await adoption(operator) == {
            "experiment_id": "providers",
            "variant_id": OTHER,
            "dry_run": True,
            "version": 1,
            "published_version": None,
            "changes": CHANGES,
        }
        assert (await in_force(studio)).version == 1
        async with studio.database.reading() as session:
            assert list(await session.scalars(select(AuditEntry))) == []


class TestPublication:
    async def test_makes_the_winner_s_routes_everybody_s(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await won(studio)

        found = await adoption(operator, **FOR_REAL)

        assert (found["dry_run"], found["published_version"]) == (False, 2)
        now = await in_force(studio)
        assert now.version == 2
        assert {route.final_provider for route in now.settings.operation_routes.values()} == {
            "fal",
            "openai",
        }

    async def test_is_told_in_both_audits(self, operator: Visitor, studio: Studio) -> None:
        await won(studio)

        await adoption(operator, **FOR_REAL)

        async with studio.database.reading() as session:
            entries = list(await session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
        told = [(each.action, each.target_kind, each.target_id, each.reason) for each in entries]
        assert told == [
            ("provider_settings_published", "provider_settings", "2", "cheaper"),
            ("experiment_routes_published", "experiment", "providers", "cheaper"),
        ]
        assert [each.after for each in entries] == [
            {
                "actor": "eve",
                "metadata": {
                    "version": 2,
                    "changes": CHANGES,
                    "experiment_id": "providers",
                    "variant_id": OTHER,
                },
            },
            {
                "actor": "eve",
                "metadata": {
                    "variant_id": OTHER,
                    "version": 2,
                    "changes": CHANGES,
                    "forced": False,
                },
            },
        ]

    async def test_happens_once(self, operator: Visitor, studio: Studio) -> None:
        await won(studio)
        await adoption(operator, **FOR_REAL)

        again = await adoption(operator, **FOR_REAL)

        assert (again["version"], again["published_version"], again["changes"]) == (2, None, [])
        assert (await in_force(studio)).version == 2

    async def test_keeps_a_draft_and_publishes_none_of_it(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await won(studio)
        await operator.client.put(f"{SETTINGS}/draft", json={"default_provider": "openai"})

        await adoption(operator, **FOR_REAL)

        assert (await in_force(studio)).settings.default_provider == "fal"
        async with studio.database.reading() as session:
            drafted = (await draft(session)).settings
        assert drafted.default_provider == "openai"
        assert "openai" in {each.final_provider for each in drafted.operation_routes.values()}

    async def test_can_be_forced_before_the_ladder_ends(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await won(studio, percent=50)

        found = await adoption(operator, force="true", **FOR_REAL)

        assert found["published_version"] == 2


class TestRefusal:
    async def test_of_what_nobody_knows(self, operator: Visitor) -> None:
        assert refusal(await adopted(operator)) == (404, "experiment_not_found")

    async def test_before_the_ladder_ends(self, operator: Visitor, studio: Studio) -> None:
        await won(studio, percent=50)

        assert refusal(await adopted(operator)) == (409, "rollout_not_completed")

    @pytest.mark.parametrize("force", ["false", "true"])
    async def test_without_a_winner(self, operator: Visitor, studio: Studio, force: str) -> None:
        await begun(studio)

        assert refusal(await adopted(operator, force=force)) == (409, "rollout_without_winner")

    async def test_of_a_winner_that_is_gone(self, operator: Visitor, studio: Studio) -> None:
        await won(studio)
        async with studio.database.transaction() as session:
            await change(session, "providers", variants=[variant(CONTROL, None)])

        assert refusal(await adopted(operator)) == (409, "rollout_without_winner")

    async def test_of_a_winner_without_routes(self, operator: Visitor, studio: Studio) -> None:
        await begun(studio, {CONTROL: routes("openai"), OTHER: None})
        async with studio.database.transaction() as session:
            await roll_out(session, "providers")

        assert refusal(await adopted(operator)) == (409, "winner_without_routes")

    async def test_while_a_canary_runs(self, operator: Visitor, studio: Studio) -> None:
        await won(studio)
        tried = await operator.client.post(f"{SETTINGS}/publish", params={"percent": 10})
        assert tried.status_code == 200

        assert refusal(await adopted(operator, **FOR_REAL)) == (409, "canary_running")

    async def test_where_the_routes_do_not_fit_any_more(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await won(studio)
        await studio.publish("fal")

        answer = await adopted(operator, **FOR_REAL)

        assert refusal(answer) == (400, "route_provider_not_enabled")
        assert (await in_force(studio)).version == 2

    async def test_where_they_do_not_fit_the_draft(self, operator: Visitor, studio: Studio) -> None:
        await begun(studio, {CONTROL: None, OTHER: {"default_provider": "openai"}})
        async with studio.database.transaction() as session:
            await roll_out(session, "providers")
        drafted = {"enabled_providers": ["fal"], "fallback_chain": ["fal"]}
        await operator.client.put(f"{SETTINGS}/draft", json=drafted)

        answer = await adopted(operator, **FOR_REAL)

        assert refusal(answer) == (400, "default_provider_not_enabled")
        assert (await in_force(studio)).version == 1
