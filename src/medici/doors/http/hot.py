"""Routes whose speed is promised: their usual requests take a way of their own."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from medici.doors.http.headers import IDEMPOTENCY_KEY
from medici.doors.http.idempotency import Handler, IdempotentRoute

Quick: TypeAlias = Callable[[Request], Awaitable[Response | None]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

QUICK = "quick_way"


def quickly(quick: Quick) -> Callable[[Endpoint], Endpoint]:
    """Answer an endpoint's usual requests by ``quick``, the others by the endpoint itself.

    ``quick`` returns None, having done nothing, for every request that is unusual or wrong; so
    what is documented, and how errors are worded, stays FastAPI's.
    """

    def marked(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, QUICK, quick)
        return endpoint

    return marked


def json_response(content: BaseModel) -> Response:
    """Write a model as FastAPI would."""
    return Response(content.__pydantic_serializer__.to_json(content), media_type="application/json")


class HotRoute(IdempotentRoute):
    """A route that tries the quick way first, where there is one and no ``Idempotency-Key``."""

    def get_route_handler(self) -> Handler:
        """Put the quick way before FastAPI's handler."""
        plain = super().get_route_handler()
        quick: Quick | None = getattr(self.endpoint, QUICK, None)
        if quick is None:
            return plain

        async def handle(request: Request) -> Response:
            if IDEMPOTENCY_KEY in request.headers:
                return await plain(request)
            return await quick(request) or await plain(request)

        return handle
