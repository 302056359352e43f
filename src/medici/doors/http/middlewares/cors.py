"""Which other sites' pages may call us."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from medici.doors.http.headers import IDEMPOTENCY_REPLAYED
from medici.doors.http.middlewares.request_ids import HEADER as REQUEST_ID

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def cors(app: ASGIApp, *, origins: Sequence[str]) -> CORSMiddleware:
    """Let any site call without credentials (``*``), or exactly the listed ones with them."""
    anybody = "*" in origins
    return CORSMiddleware(
        app,
        allow_origins=["*"] if anybody else origins,
        # A page of any site must never ride on a visitor's cookies.
        allow_credentials=not anybody,
        allow_methods=METHODS,
        allow_headers=["*"],
        expose_headers=[REQUEST_ID, IDEMPOTENCY_REPLAYED, "Retry-After"],
        max_age=600,
    )
