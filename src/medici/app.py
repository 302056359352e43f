"""The web application: ``uvicorn medici.app:create_app --factory``."""

import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib.metadata import version
from types import FrameType

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from medici.bootstrap import opened, prepare
from medici.doors.http.install import install
from medici.doors.studio.router import routers as studio
from medici.jobs.presence import seconds_since_seen
from medici.resources import Resources
from medici.settings import Settings
from medici.startup import check_settings, relieve_collector, start_telemetry
from medici.worker import background, sole_server

WORKER_SILENT_SECONDS = 60.0
# FastAPI would ask OpenTelemetry at each request whether somebody listens.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application. Settings come from the environment unless they are given."""
    settings = settings or Settings()
    start_telemetry(settings)
    check_settings(settings)
    app = FastAPI(
        title="Medici",
        version=version("medici"),
        description="The backend of a business that sells AI-generated images.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=NO_TELEMETRY,
        lifespan=_lifespan,
    )
    app.state.settings = settings
    # Doors first, since their routes are asked far more often than what comes with ``install``.
    if "studio" in settings.medici_doors:
        for router in studio:
            app.include_router(router)
    install(app, settings, worker_probe=worker_probe)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        resources = await stack.enter_async_context(opened(app.state.settings))
        await prepare(resources)
        await stack.enter_async_context(sole_server(resources))
        await stack.enter_async_context(background(resources))
        app.state.resources = resources
        relieve_collector()
        with announcing_stop(app):
            yield


@contextmanager
def announcing_stop(app: FastAPI) -> Iterator[None]:
    """Turn readiness off as soon as the process is told to stop, before the server drains."""
    before = {signum: signal.getsignal(signum) for signum in STOP_SIGNALS}

    def stop(signum: int, frame: FrameType | None) -> None:
        app.state.stopping = True
        handler = before[signal.Signals(signum)]
        if callable(handler):
            handler(signum, frame)

    if threading.current_thread() is threading.main_thread():
        for signum in STOP_SIGNALS:
            signal.signal(signum, stop)
    try:
        yield
    finally:
        app.state.stopping = True


async def worker_probe(resources: Resources) -> str:
    """Tell whether some worker has been seen lately."""
    async with resources.database.reading() as session:
        silence = await seconds_since_seen(session)
    if silence is None:
        return "no worker"
    return "ok" if silence < WORKER_SILENT_SECONDS else f"silent for {silence:.0f} s"
