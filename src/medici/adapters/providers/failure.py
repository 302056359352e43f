"""One taxonomy for everything that a provider can do wrong."""

from enum import StrEnum


class FailureCode(StrEnum):
    AUTH = "auth"
    QUOTA = "quota"
    RATE_LIMITED = "rate_limited"
    INVALID_INPUT = "invalid_input"
    MODERATED = "moderated"
    UNAVAILABLE = "unavailable"
    TIMEOUT_AMBIGUOUS = "timeout_ambiguous"
    NO_OUTPUT = "no_output"
    PROVIDER_FAILED = "provider_failed"


class ProviderFailure(Exception):
    """A provider did not do what it was asked; ``code`` tells what that means for the job.

    ``message`` is the provider's own, shortened and without secrets.
    """

    def __init__(
        self, code: FailureCode, message: str, *, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message.replace("\0", "")[:500]  # PostgreSQL stores no NUL
        self.retry_after_seconds = retry_after_seconds


class WorkExpired(ProviderFailure):
    """The work was accepted, but its time ran out before a picture came."""

    def __init__(self, message: str) -> None:
        super().__init__(FailureCode.PROVIDER_FAILED, message)
