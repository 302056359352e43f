"""Failures on the wire: one table from kind to status, words by the door's accent."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ExceptionHandler, Scope

from medici.doors.http.accents import Accents, Failure
from medici.doors.http.context import note_failure, request_id_of
from medici.kernel.errors import Kind, MediciError

log = structlog.get_logger(__name__)

STATUS: Mapping[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.PAYMENT_REQUIRED: 402,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED_MEDIA: 415,
    Kind.UNPROCESSABLE: 422,
    Kind.RATE_LIMITED: 429,
    Kind.INTERNAL: 500,
    Kind.BAD_GATEWAY: 502,
    Kind.UNAVAILABLE: 503,
}
# PostgreSQL's states for characters that no text column takes, such as NUL.
UNREADABLE_STATES = frozenset({"22021", "22P05"})


class UnreadableText(MediciError):
    kind = Kind.INVALID
    code = "unreadable_text"

    def __init__(self) -> None:
        super().__init__("the text holds characters that cannot be stored")


def failure_of(error: MediciError) -> Failure:
    """Put a failure of the domain into the terms of the wire."""
    status = STATUS[error.kind]
    retry_after = error.retry_after_seconds
    return Failure(
        status=status,
        code=error.code,
        message=str(error),
        details=error.details(),
        retry_after_seconds=1.0 if status == 503 and retry_after is None else retry_after,
    )


def failure_response(scope: Scope, failure: Failure) -> Response:
    """Word a failure in the accent of the door that the path belongs to."""
    note_failure(scope, failure)
    accents = cast("Accents", scope["app"].state.accents)
    headers = {}
    if failure.retry_after_seconds is not None:
        headers["Retry-After"] = str(ceil(failure.retry_after_seconds))
    if failure.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _json(failure.status, accents.of(scope["path"])(failure), headers)


def fault_response(scope: Scope, fault: BaseException) -> Response:
    """Answer a fault of ours, saying nothing of it but the id under which it is logged."""
    # Named beside the traceback too, because a long one is cut where its last line would stand.
    log.error("http.fault", fault=type(fault).__name__, reason=str(fault), exc_info=fault)
    return _json(
        500,
        {
            "detail": "Something went wrong on our side.",
            "code": "internal_error",
            "request_id": request_id_of(scope),
        },
    )


def add_error_handlers(app: FastAPI, accents: Accents) -> None:
    """Have every failure of a route answered in the right words."""
    app.state.accents = accents
    for kind, handler in (
        (MediciError, _on_refusal),
        (HTTPException, _on_http_exception),
        (RequestValidationError, _on_validation_error),
        (DBAPIError, _on_database_error),
    ):
        # Starlette hands each handler its own kind, which its types cannot say.
        app.add_exception_handler(kind, cast("ExceptionHandler", handler))


async def _on_refusal(request: Request, error: MediciError) -> Response:
    if error.kind is Kind.INTERNAL:
        return fault_response(request.scope, error)
    return failure_response(request.scope, failure_of(error))


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    detail = str(error.detail)
    phrase = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_").replace("-", "_")
    failure = Failure(
        status=error.status_code,
        code=detail if detail.isidentifier() and detail.islower() else phrase,
        message=detail,
    )
    response = failure_response(request.scope, failure)
    response.headers.update(error.headers or {})
    return response


async def _on_validation_error(_request: Request, error: RequestValidationError) -> Response:
    # What was sent is left out of the answer: it may be a password in the wrong field.
    told = [
        {"type": each["type"], "loc": each["loc"], "msg": each["msg"]} for each in error.errors()
    ]
    return _json(422, {"detail": told})


async def _on_database_error(request: Request, error: DBAPIError) -> Response:
    if getattr(error.orig, "sqlstate", None) in UNREADABLE_STATES:
        return failure_response(request.scope, failure_of(UnreadableText()))
    return fault_response(request.scope, error)


def _json(
    status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> Response:
    # Plain ASCII, because a client's own text in it may hold half a surrogate pair.
    return Response(
        json.dumps(body, default=str).encode(),
        status_code=status,
        headers=headers,
        media_type="application/json",
    )
