"""Health tells the truth, quickly, and nothing else."""

from importlib.metadata import version

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from medici.kernel.db.database import Database
from tests.doors.conftest import OpenDoor
from tests.doors.support import BASE, DoorResources, Parts, assemble
from tests.support.databases import SqliteTemplate

DEAD = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def template(sqlite_template: SqliteTemplate) -> SqliteTemplate:
    """One database: which of them lies beneath makes no difference here."""
    return sqlite_template


class TestHealth:
    @pytest.mark.parametrize("path", ["/health", "/healthz", "/readyz"])
    async def test_says_ok_while_all_is_well(self, client: httpx.AsyncClient, path: str) -> None:
        answer = await client.get(path)

        assert answer.status_code == 200
        assert answer.json() == {
            "status": "ok",
            "service": "medici",
            "environment": "test",
            "version": version("medici"),
            "components": {"database": "ok", "worker": "ok"},
        }

    async def test_stays_alive_without_a_database_but_is_not_ready(
        self, resources: DoorResources, parts: Parts
    ) -> None:
        dead = Database.open(DEAD)
        broken = DoorResources(
            settings=resources.settings,
            database=dead,
            metrics=resources.metrics,
            oidc_keys=resources.oidc_keys,
            clock=resources.clock,
        )
        transport = httpx.ASGITransport(assemble(broken, parts))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            alive = await client.get("/health")
            ready = await client.get("/readyz")

        assert (alive.status_code, alive.json()["status"]) == (200, "degraded")
        assert alive.json()["components"] == {"database": "unavailable", "worker": "ok"}
        assert ready.status_code == 503

    async def test_names_a_worker_that_is_stuck(
        self, client: httpx.AsyncClient, parts: Parts
    ) -> None:
        parts.worker.state = "behind"

        alive, ready = await client.get("/healthz"), await client.get("/readyz")

        assert alive.json()["components"]["worker"] == "behind"
        assert (alive.status_code, alive.json()["status"]) == (200, "degraded")
        assert ready.status_code == 200

    async def test_says_no_once_the_process_is_stopping(
        self, client: httpx.AsyncClient, app: FastAPI
    ) -> None:
        app.state.stopping = True

        for path in ("/health", "/healthz", "/readyz"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["status"]) == (503, "stopping")


class TestClosedInProduction:
    @pytest.mark.parametrize("path", ["/metrics", "/docs", "/openapi.json"])
    async def test_is_open_to_developers_and_to_operators_alone(
        self, client: httpx.AsyncClient, open_door: OpenDoor, path: str
    ) -> None:
        production = await open_door(app_env="production", admin_api_token=SecretStr("right"))

        statuses = [
            (await client.get(path)).status_code,
            (await production.get(path)).status_code,
            (await production.get(path, headers={"X-Admin-Token": "right"})).status_code,
        ]

        assert statuses == [200, 401, 200]
