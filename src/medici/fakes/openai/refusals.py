"""Errors, as the API words them."""

from aiohttp import web

from medici.fakes.faults import Fault, FaultKind
from medici.fakes.plane import Plane


class Refused(Exception):
    """The request is wrong; nothing is painted and nothing is billed."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


def signed(plane: Plane) -> dict[str, str]:
    """Return the headers that every answer of the API itself carries."""
    return {
        "x-request-id": f"req_{plane.new_id().replace('-', '')}",
        "openai-processing-ms": "1",
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": "120ms",
    }


def error(
    plane: Plane,
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return web.json_response(body, status=status, headers=signed(plane) | (headers or {}))


def planned(plane: Plane, fault: Fault) -> web.Response | None:
    """Answer a call that shall fail before anything is painted."""
    match fault.kind:
        case FaultKind.AUTH:
            return no_key(plane)
        case FaultKind.QUOTA:
            return _no_money(plane, fault.failure or "insufficient_quota")
        case FaultKind.RATE_LIMITED:
            return _too_fast(plane, fault.retry_after)
        case FaultKind.MODERATED:
            return _blocked(plane, fault.failure or "moderation_blocked")
        case FaultKind.REDIRECT_OTHER_ORIGIN:
            return web.Response(status=307, headers={"Location": "https://elsewhere.example/v1"})
    return None


def no_key(plane: Plane) -> web.Response:
    return error(plane, 401, "Incorrect API key provided: sk-t***1234.", code="invalid_api_key")


def _no_money(plane: Plane, code: str) -> web.Response:
    if code == "billing_hard_limit_reached":
        kind = "image_generation_user_error"
        return error(plane, 400, "Billing hard limit has been reached.", kind=kind, code=code)
    return error(plane, 429, "You exceeded your current quota.", kind=code, code=code)


def _too_fast(plane: Plane, seconds: float) -> web.Response:
    headers = {"retry-after-ms": f"{seconds * 1000:g}", "retry-after": f"{seconds:g}"}
    message = "Rate limit reached for images per minute."
    code = "rate_limit_exceeded"
    return error(plane, 429, message, kind="requests", code=code, headers=headers)


def _blocked(plane: Plane, code: str) -> web.Response:
    message = (
        "Your request was rejected by the safety system. If you believe this is an error, "
        "contact us and include the request ID. safety_violations=[violence, self-harm]."
    )
    return error(plane, 400, message, kind="image_generation_user_error", code=code)
