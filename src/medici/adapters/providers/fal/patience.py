"""How long fal may try: what an order says about it, and what its answers say."""

from collections.abc import Mapping
from dataclasses import dataclass

RETRYABLE = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """``start_seconds`` is how long work may wait before it begins; later it is dropped, unpaid.

    Without ``retries`` the queue does not put failed work on another machine by itself.
    """

    start_seconds: float
    retries: bool

    def headers(self) -> dict[str, str]:
        said = {"X-Fal-Request-Timeout": f"{self.start_seconds:g}"}
        return said if self.retries else {**said, "X-Fal-No-Retry": "1"}


def may_be_retried(headers: Mapping[str, str]) -> bool | None:
    """Read whether fal thinks that another try may succeed; None where it does not say."""
    for name in ("x-fal-needs-retry", "x-fal-retryable"):  # the newer name first
        said = RETRYABLE.get(headers.get(name, "").strip().lower())
        if said is not None:
            return said
    return None


def waited_too_long(headers: Mapping[str, str]) -> bool:
    """Tell whether work did not begin in the time that its order allowed."""
    return headers.get("x-fal-request-timeout-type", "").strip().lower() == "user"
