"""How a failure is worded: each door keeps the form that its clients know."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure, ready to be put into words."""

    status: int
    code: str
    message: str
    details: Mapping[str, object] = field(default_factory=dict)
    retry_after_seconds: float | None = None


ErrorAccent: TypeAlias = Callable[[Failure], Mapping[str, object]]


def studio_accent(failure: Failure) -> Mapping[str, object]:
    """Say ``{"detail": code}``, with whatever a client may need beside it."""
    return {**failure.details, "detail": failure.code}


@dataclass(frozen=True, slots=True)
class Accents:
    """Which door's accent belongs to a path: the longest prefix wins, the studio's is default."""

    by_prefix: Mapping[str, ErrorAccent] = field(default_factory=dict)

    def of(self, path: str) -> ErrorAccent:
        fitting = [prefix for prefix in self.by_prefix if _below(path, prefix)]
        return self.by_prefix[max(fitting, key=len)] if fitting else studio_accent


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix.rstrip("/") + "/")
