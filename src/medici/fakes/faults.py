"""What a fake can be told to get wrong, and on which call."""

from collections import Counter
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    OK = "ok"
    SLOW = "slow"  # answers after ``milliseconds``
    SLOW_BODY = "slow_body"  # answers at once, but takes ``milliseconds`` to say it all
    HANG = "hang"  # never answers
    RESET_BEFORE_BODY = "reset_before_body"  # cuts the connection, nothing is taken
    RESET_AFTER_BODY = "reset_after_body"  # takes the work, charges for it, and cuts the connection
    STATUS = "status"  # answers with ``status``, ``body`` and ``headers``
    MALFORMED_JSON = "malformed_json"  # takes the work and answers with half an object
    RATE_LIMITED = "rate_limited"  # 429 with ``retry_after``
    AUTH = "auth"
    QUOTA = "quota"
    MODERATED = "moderated"
    EMPTY_IMAGES = "empty_images"
    BAD_IMAGE_BYTES = "bad_image_bytes"
    EXPIRED_URL = "expired_url"
    REDIRECT_OTHER_ORIGIN = "redirect_other_origin"
    JOB_FAILED = "job_failed"  # the work is taken and fails with the vendor's ``failure``


class Fault(BaseModel):
    """One thing to get wrong; the fields beside ``kind`` count for the kinds that name them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind = FaultKind.OK
    milliseconds: float = Field(0, ge=0)
    status: int = Field(500, ge=200, le=599)
    body: Any = None
    headers: dict[str, str] = {}
    retry_after: float = Field(1, ge=0)
    failure: str = ""


NONE = Fault()


class Rule(BaseModel):
    """When a fault strikes: on the calls of ``operation`` that ``calls`` names, counted from 1.

    Without ``calls`` it strikes every ``every``-th. ``*`` stands for every operation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: Fault
    operation: str = "*"
    calls: tuple[Annotated[int, Field(ge=1)], ...] = ()
    every: int = Field(1, ge=1)

    def strikes(self, operation: str, call: int) -> bool:
        if self.operation not in {"*", operation}:
            return False
        return call in self.calls if self.calls else call % self.every == 0


class FaultPlan:
    """The rules in force, and how many calls of each operation have come since they were set."""

    def __init__(self) -> None:
        self._rules: tuple[Rule, ...] = ()
        self._calls: Counter[str] = Counter()

    def set(self, *rules: Rule) -> None:
        """Forget what was planned and count from 1 again."""
        self._rules = rules
        self._calls.clear()

    def next_fault(self, operation: str) -> Fault:
        """Count a call and return what it shall suffer; the first rule that strikes counts."""
        self._calls[operation] += 1
        call = self._calls[operation]
        return next((rule.fault for rule in self._rules if rule.strikes(operation, call)), NONE)
