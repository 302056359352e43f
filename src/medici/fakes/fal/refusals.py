"""How fal refuses."""

from typing import Any

from aiohttp import web

from medici.fakes.faults import Fault, FaultKind
from medici.fakes.plane import FaultyHandler

MODELS_OWN = frozenset(  # what a model says of its input or of its output
    {
        "content_policy_violation",
        "no_media_generated",
        "image_too_small",
        "image_too_large",
        "image_load_error",
        "file_download_error",
        "file_too_large",
    }
)
TIMEOUTS = frozenset({"request_timeout", "startup_timeout", "generation_timeout"})
RUNNER = "runner_"
CANCELED = "client_cancelled"


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


def failed_work(error_type: str, headers: dict[str, str]) -> web.Response:
    """Answer where the result of failed work would be."""
    if error_type in MODELS_OWN:
        return model_error(error_type, "The model failed", "prompt", headers=headers)
    return platform_error(_status_of(error_type), error_type, "The work failed", headers)


def _status_of(error_type: str) -> int:
    if error_type == CANCELED:
        return 499
    if error_type in TIMEOUTS:
        return 504
    return 503 if error_type.startswith(RUNNER) else 500


def platform_error(
    status: int, error_type: str, detail: str, headers: dict[str, str] | None = None
) -> web.Response:
    return web.json_response(
        {"detail": detail, "error_type": error_type},
        status=status,
        headers={"X-Fal-Error-Type": error_type, **(headers or {})},
    )


def model_error(
    error_type: str,
    message: str,
    field: str,
    given: Any = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    fault = {
        "loc": ["body", field],
        "msg": message,
        "type": error_type,
        "url": f"https://docs.fal.ai/errors#{error_type}",
        "input": given,
    }
    return web.json_response({"detail": [fault]}, status=422, headers=headers)


def keyed(handler: FaultyHandler) -> FaultyHandler:
    """Let nobody in without a key, and refuse whom the fault wants refused."""

    async def checked(request: web.Request, fault: Fault) -> web.StreamResponse:
        if not request.headers.get("Authorization", "").startswith(("Key ", "Bearer ")):
            return unauthenticated()
        return planned_refusal(fault) or await handler(request, fault)

    return checked
