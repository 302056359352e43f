"""The vendor's refusals."""

from medici.fakes.faults import Fault, FaultKind
from medici.fakes.stripe.params import Record


class Problem(Exception):
    """Ends a request with an error object."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        named = {"code": code, "message": message, "param": param, "type": kind}
        self.body: Record = {"error": {name: text for name, text in named.items() if text}}


def missing(what: str, found: str) -> Problem:
    return Problem(f"No such {what}: '{found}'", status=404, code="resource_missing", param="id")


def required(name: str) -> Problem:
    return Problem(f"Missing required param: {name}.", code="parameter_missing", param=name)


def unauthenticated() -> Problem:
    return Problem("You did not provide an API key.", status=401)


def key_reused(key: str) -> Problem:
    message = (
        f"Keys for idempotent requests can only be used with the same parameters they were first"
        f" used with. Try using a key other than '{key}'."
    )
    return Problem(message, kind="idempotency_error")


def planned(fault: Fault) -> Problem | None:
    """Refuse as the fault wants it; None where it is of another kind."""
    match fault.kind:
        case FaultKind.AUTH:
            return Problem("Invalid API Key provided.", status=401)
        case FaultKind.RATE_LIMITED:
            return Problem("Too many requests.", status=429, code="rate_limit")
    return None
