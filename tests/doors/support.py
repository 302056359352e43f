"""What the tests of the doors are made with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, FastAPI

from medici.doors.http.install import install
from medici.doors.studio import auth
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database
from medici.kernel.telemetry.metrics import Metrics
from medici.resources import Resources
from medici.settings import OidcIssuer, Settings

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BASE = "http://medici.test"


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class FakeKeys:
    """Keys that issuers publish, and who was asked for which."""

    def __init__(self) -> None:
        self.published: dict[str, list[Mapping[str, object]]] = {}
        self.asked: list[tuple[str, str | None]] = []

    async def keys(
        self, issuer: OidcIssuer, *, key_id: str | None
    ) -> Sequence[Mapping[str, object]]:
        self.asked.append((issuer.issuer, key_id))
        return self.published.get(issuer.issuer, [])


@dataclass(frozen=True, kw_only=True)
class DoorResources:
    """The part of the resources that authentication and the shared routes use."""

    settings: Settings
    database: Database
    metrics: Metrics
    oidc_keys: FakeKeys
    clock: Clock

    def now(self) -> datetime:
        return self.clock()


@dataclass(kw_only=True)
class Worker:
    """A worker whose state a test sets."""

    state: str = "ok"

    async def probe(self, _resources: Resources) -> str:
        return self.state


@dataclass(kw_only=True)
class Parts:
    """What a test adds to an app."""

    routers: list[APIRouter] = field(default_factory=list)
    worker: Worker = field(default_factory=Worker)


def assemble(resources: DoorResources, parts: Parts) -> FastAPI:
    """Put an app together over given resources, with a test's own routes beside ours."""
    app = FastAPI(title="Medici", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.resources = resources
    install(app, resources.settings, worker_probe=parts.worker.probe)
    for router in (auth.router, *parts.routers):
        app.include_router(router)
    return app
