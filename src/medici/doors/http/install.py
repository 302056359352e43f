"""Fits an app with everything that its doors share."""

from collections.abc import Mapping

from fastapi import FastAPI

from medici.doors.http import documents, health
from medici.doors.http.accents import Accents, ErrorAccent
from medici.doors.http.errors import add_error_handlers
from medici.doors.http.health import Probe, database_probe
from medici.doors.http.middlewares.access_log import AccessLog
from medici.doors.http.middlewares.body_limit import BodyLimit
from medici.doors.http.middlewares.cors import cors
from medici.doors.http.middlewares.faults import Faults
from medici.doors.http.middlewares.proxies import Proxies
from medici.doors.http.middlewares.request_ids import RequestIds
from medici.doors.http.middlewares.security_headers import SecurityHeaders
from medici.settings import Settings


def install(
    app: FastAPI,
    settings: Settings,
    *,
    worker_probe: Probe,
    accents: Mapping[str, ErrorAccent] | None = None,
) -> None:
    """Add middlewares, error handlers, health and documentation to an app without its own docs.

    ``app.state.resources`` must be set before the first request, and ``app.state.stopping`` once
    the process begins to stop. ``accents`` name the doors whose errors are worded in their own
    way, by path prefix.
    """
    app.state.stopping = False
    app.state.claims_running = set()
    app.state.probes = {"database": database_probe, "worker": worker_probe}
    add_error_handlers(app, Accents(accents or {}))
    _add_middlewares(app, settings)
    app.include_router(health.router)
    app.include_router(documents.router)


def _add_middlewares(app: FastAPI, settings: Settings) -> None:
    # From the innermost to the outermost: what is added later sees a request earlier.
    app.add_middleware(BodyLimit)
    app.add_middleware(Faults)
    app.add_middleware(cors, origins=settings.allowed_origins)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(AccessLog)
    app.add_middleware(RequestIds)
    app.add_middleware(Proxies, trusted=settings.medici_trusted_proxies)
