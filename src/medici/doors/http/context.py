"""What a request carries along: the process's resources, the time, its id, who is asking."""

from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.types import Scope

from medici.doors.http.accents import Failure
from medici.resources import Resources

REQUEST_ID = "request_id"
CALLER = "caller"
FAILURE = "failure"


def resources_of(request: Request) -> Resources:
    return cast("Resources", request.app.state.resources)


# FastAPI runs a plain function in a thread; a coroutine costs nothing.
async def _resources(request: Request) -> Resources:
    return resources_of(request)


AppResources = Annotated[Resources, Depends(_resources)]


async def _now(resources: AppResources) -> datetime:
    return resources.now()


Now = Annotated[datetime, Depends(_now)]


def request_id_of(scope: Scope) -> str | None:
    """Return the id that ``RequestIds`` gave this request."""
    return cast("str | None", scope.get("state", {}).get(REQUEST_ID))


async def _request_id(request: Request) -> str | None:
    return request_id_of(request.scope)


RequestId = Annotated[str | None, Depends(_request_id)]


def name_caller(request: Request, caller: str) -> None:
    """Remember who was recognised, such as ``user:42``: retries are theirs under any token."""
    setattr(request.state, CALLER, caller)


def caller_of(request: Request) -> str | None:
    return cast("str | None", getattr(request.state, CALLER, None))


def note_failure(scope: Scope, failure: Failure) -> None:
    """Remember why a request was refused, for the access log."""
    scope.setdefault("state", {})[FAILURE] = failure


def failure_noted(scope: Scope) -> Failure | None:
    return cast("Failure | None", scope.get("state", {}).get(FAILURE))
