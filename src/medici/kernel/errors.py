"""One family of failures. Doors map a kind to a status, workers map it to retry or stop."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What sort of failure it is, without naming any transport."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    PAYMENT_REQUIRED = "payment_required"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    UNPROCESSABLE = "unprocessable"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"
    BAD_GATEWAY = "bad_gateway"
    UNAVAILABLE = "unavailable"


class MediciError(Exception):
    """A failure that a caller can name.

    ``code`` is stable and goes on the wire; the message is for people and may change.
    """

    kind: ClassVar[Kind] = Kind.INTERNAL
    code: str = "internal_error"
    retry_after_seconds: float | None = None

    def details(self) -> Mapping[str, object]:
        """Return what a client may need beside the code; empty for most failures."""
        return {}


class Unavailable(MediciError):
    """Something that we depend on does not answer now; trying again later may work."""

    kind = Kind.UNAVAILABLE
    code = "temporarily_unavailable"
    retry_after_seconds = 1.0
