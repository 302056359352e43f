"""One line and one measurement for every answer; never the query, which may hold a secret."""

from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medici.doors.http.context import failure_noted
from medici.kernel.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

QUIET = frozenset({"/health", "/healthz", "/readyz", "/metrics"})  # asked every few seconds
UNKNOWN = "unknown"


class AccessLog:
    """Log and measure requests by the template of their route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        metrics: Metrics = scope["app"].state.resources.metrics
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = perf_counter()
        metrics.request_began()
        try:
            await self.app(scope, receive, watch)
        finally:
            seconds = perf_counter() - began
            metrics.request_ended(
                method=scope["method"], route=route_of(scope), status=status, seconds=seconds
            )
            _tell(scope, status, seconds)


def route_of(scope: Scope) -> str:
    """Return the template of the route that served a request, such as ``/v1/jobs/{job_id}``."""
    included = scope.get("fastapi", {}).get("effective_route_context")
    template: str | None = getattr(included or scope.get("route"), "path_format", None)
    return template or UNKNOWN


def _tell(scope: Scope, status: int, seconds: float) -> None:
    if scope["path"] in QUIET:
        return
    failure = failure_noted(scope)
    log.info(
        "http.answered",
        method=scope["method"],
        path=scope["path"],
        status=status,
        milliseconds=round(seconds * 1000, 1),
        **({} if failure is None else {"code": failure.code, "reason": failure.message}),
    )
