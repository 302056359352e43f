"""A door to knock on: an app over an empty database, and clients of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from medici.domain.identity import service
from medici.kernel.db.database import Database
from medici.kernel.telemetry.logs import configure_logs
from medici.kernel.telemetry.metrics import Metrics
from medici.settings import Settings
from tests.doors.support import BASE, DoorResources, FakeKeys, Hands, Parts, assemble

SignedIn = Callable[..., Awaitable[dict[str, str]]]
OpenDoor = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    # As in production; unconfigured, structlog paints tracebacks for many seconds.
    configure_logs("warning", json=True)


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def oidc_keys() -> FakeKeys:
    return FakeKeys()


@pytest.fixture
def resources(database: Database, clock: Hands, oidc_keys: FakeKeys) -> DoorResources:
    return DoorResources(
        settings=Settings(_env_file=None, app_env="test"),
        database=database,
        metrics=Metrics(),
        oidc_keys=oidc_keys,
        clock=clock,
    )


@pytest.fixture
def parts() -> Parts:
    """What a directory of tests adds to the app; none here."""
    return Parts()


@pytest.fixture
def app(resources: DoorResources, parts: Parts) -> FastAPI:
    return assemble(resources, parts)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
        yield client


@pytest.fixture
async def open_door(resources: DoorResources, parts: Parts) -> AsyncIterator[OpenDoor]:
    """Give a client of an app of its own, with settings that differ."""
    async with AsyncExitStack() as stack:

        async def opened(**settings: Any) -> httpx.AsyncClient:
            changed = resources.settings.model_copy(update=settings)
            app = assemble(replace(resources, settings=changed), parts)
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE)
            return await stack.enter_async_context(client)

        yield opened


@pytest.fixture
def signed_in(database: Database, clock: Hands) -> SignedIn:
    """Give the headers of a user who has just signed in."""

    async def headers(
        user_id: str = "ada", *, ttl: timedelta = timedelta(days=30)
    ) -> dict[str, str]:
        async with database.transaction() as session:
            signed = await service.sign_in(
                session, user_id=user_id, platform="ios", ttl=ttl, prefix="tok_", now=clock()
            )
        return {"Authorization": f"Bearer {signed.token}"}

    return headers
