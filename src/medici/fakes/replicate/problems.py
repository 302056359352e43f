"""The vendor's refusals: problem details, and what it checks before it takes work."""

from typing import Any

from aiohttp import web

from medici.fakes.faults import Fault, FaultKind


def problem(status: int, title: str, detail: str, **members: Any) -> web.Response:
    """Answer with problem details; ``members`` are those beside the usual ones."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}
    return web.json_response(body, status=status, content_type="application/problem+json")


def unauthenticated() -> web.Response:
    return problem(401, "Unauthenticated", "You did not pass a valid authentication token")


def not_found() -> web.Response:
    return problem(404, "Not found", "The requested resource could not be found.")


def invalid(field: str, description: str) -> web.Response:
    wrong = [{"type": "invalid", "field": field, "description": description}]
    detail = f"- {field or 'body'}: {description}"
    return problem(422, "Input validation failed", detail, invalid_fields=wrong)


def planned_refusal(fault: Fault) -> web.Response | None:
    """Refuse as the fault wants it; None where it is of another kind."""
    match fault.kind:
        case FaultKind.AUTH:
            return unauthenticated()
        case FaultKind.QUOTA:
            detail = "You have insufficient credit to run this model."
            return problem(402, "Insufficient credit", detail)
        case FaultKind.RATE_LIMITED:
            return _throttled(fault.retry_after)
    return None


def _throttled(seconds: float) -> web.Response:
    detail = f"Request was throttled. Your rate limit resets in ~{seconds:g}s."
    response = problem(429, "Too many requests", detail)
    response.headers["Retry-After"] = f"{seconds:g}"
    return response
