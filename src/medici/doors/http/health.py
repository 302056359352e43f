"""Is it alive, is it ready, how busy is it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import TypeAlias, cast

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from medici.doors.http.auth import OperatorInProduction
from medici.doors.http.context import AppResources, resources_of
from medici.jobs.queries import depth
from medici.kernel.db.errors import DatabaseUnavailable
from medici.kernel.errors import MediciError
from medici.resources import Resources

OK = "ok"
DEGRADED = "degraded"
STOPPING = "stopping"
UNAVAILABLE = "unavailable"
PATIENCE_SECONDS = 2.0

Probe: TypeAlias = Callable[[Resources], Awaitable[str]]  # returns "ok" or what is the matter

router = APIRouter(tags=["health"])


class Components(BaseModel):
    database: str
    worker: str


class Health(BaseModel):
    status: str
    service: str = "medici"
    environment: str
    version: str = version("medici")
    components: Components


@router.get("/health")
@router.get("/healthz")
async def health(request: Request) -> JSONResponse:
    """Say that the process serves, and how its parts are; 503 only once it is stopping.

    A database that is away must not make anybody restart us: that would cure nothing.
    """
    told = await _examine(request)
    return _answer(told, 503 if told.status == STOPPING else 200)


@router.get("/readyz")
async def ready(request: Request) -> JSONResponse:
    """Say whether to send requests here."""
    told = await _examine(request)
    serves = told.status != STOPPING and told.components.database == OK
    return _answer(told, 200 if serves else 503)


@router.get("/metrics", dependencies=[OperatorInProduction])
async def metrics(resources: AppResources) -> Response:
    """Give all measurements in Prometheus' text format, the queue's depth as it is now."""
    with suppress(DatabaseUnavailable):
        async with resources.database.reading() as session:
            queue = await depth(session)
        resources.metrics.queue_seen(
            "all", waiting=queue.due, oldest_seconds=queue.oldest_due_seconds
        )
    return Response(
        resources.metrics.render(), headers={"content-type": resources.metrics.content_type}
    )


async def database_probe(resources: Resources) -> str:
    await resources.database.check()
    return OK


async def _examine(request: Request) -> Health:
    probes = cast("Mapping[str, Probe]", request.app.state.probes)
    resources = resources_of(request)
    states = await asyncio.gather(*(_state(probe, resources) for probe in probes.values()))
    components = dict(zip(probes, states, strict=True))
    healthy = OK if all(state == OK for state in states) else DEGRADED
    return Health(
        status=STOPPING if request.app.state.stopping else healthy,
        environment=resources.settings.app_env,
        components=Components.model_validate(components),
    )


async def _state(probe: Probe, resources: Resources) -> str:
    try:
        return await asyncio.wait_for(probe(resources), PATIENCE_SECONDS)
    except (MediciError, TimeoutError):
        return UNAVAILABLE


def _answer(told: Health, status: int) -> JSONResponse:
    return JSONResponse(told.model_dump(), status)
