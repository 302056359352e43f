"""How fal refuses."""

from typing import Any

from aiohttp import web

from medici.fakes.faults import Fault, FaultKind
from medici.fakes.plane import FaultyHandler


def planned_refusal(fault: Fault) -> web.Response | None:
    """Answer as fal does where a fault of this kind is planned."""
    match fault.kind:
        case FaultKind.AUTH:
            return unauthenticated()
        case FaultKind.QUOTA:
            sentence = "User is locked. Reason: Exhausted balance."
            return web.json_response({"detail": sentence}, status=403)
        case FaultKind.RATE_LIMITED:
            return platform_error(
                429,
                "concurrent_requests_limit",
                "Too many requests",
                {"Retry-After": f"{fault.retry_after:g}"},
            )
    return None


def unauthenticated() -> web.Response:
    return web.json_response({"detail": "invalid key credentials"}, status=401)


def not_found() -> web.Response:
    return web.json_response({"status": "NOT_FOUND"}, status=404)


def platform_error(
    status: int, error_type: str, detail: str, headers: dict[str, str] | None = None
) -> web.Response:
    return web.json_response(
        {"detail": detail, "error_type": error_type},
        status=status,
        headers={"X-Fal-Error-Type": error_type, **(headers or {})},
    )


def model_error(error_type: str, message: str, field: str, given: Any = None) -> web.Response:
    fault = {
        "loc": ["body", field],
        "msg": message,
        "type": error_type,
        "url": f"https://docs.fal.ai/errors#{error_type}",
        "input": given,
    }
    return web.json_response({"detail": [fault]}, status=422)


def keyed(handler: FaultyHandler) -> FaultyHandler:
    """Let nobody in without a key, and refuse whom the fault wants refused."""

    async def checked(request: web.Request, fault: Fault) -> web.StreamResponse:
        if not request.headers.get("Authorization", "").startswith(("Key ", "Bearer ")):
            return unauthenticated()
        return planned_refusal(fault) or await handler(request, fault)

    return checked
