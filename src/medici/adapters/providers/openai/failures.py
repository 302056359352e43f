"""What an error of OpenAI's means for the job."""

import re
from datetime import timedelta

from medici.adapters.providers.calls import wait_hint
from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.openai.answers import Complaint, complaint
from medici.kernel.net.client import Response

BY_CODE = {
    "moderation_blocked": FailureCode.MODERATED,
    "content_policy_violation": FailureCode.MODERATED,
    "billing_hard_limit_reached": FailureCode.QUOTA,
    "insufficient_quota": FailureCode.QUOTA,
    "rate_limit_exceeded": FailureCode.RATE_LIMITED,
    "invalid_api_key": FailureCode.AUTH,
    "model_not_found": FailureCode.PROVIDER_FAILED,  # our settings are wrong, not the picture
}
BY_STATUS = {
    400: FailureCode.INVALID_INPUT,
    401: FailureCode.AUTH,
    402: FailureCode.QUOTA,
    403: FailureCode.AUTH,
    408: FailureCode.TIMEOUT_AMBIGUOUS,
    413: FailureCode.INVALID_INPUT,
    415: FailureCode.INVALID_INPUT,
    422: FailureCode.INVALID_INPUT,
    429: FailureCode.RATE_LIMITED,
}
AT_ONCE = timedelta(seconds=2)  # no picture has been begun by then
VIOLATIONS = re.compile(r"safety_violations=\[[^\]]*\]")


def failure_of(answer: Response, *, took: timedelta, key: str) -> ProviderFailure:
    """Return the failure that an answer stands for, which came after ``took``.

    The message names the violated rules first, where they are why, and never the ``key``.
    """
    told = complaint(answer.body)
    code = BY_CODE.get(told.code or "") or _by_status(answer, took)
    return ProviderFailure(
        code,
        _message(answer.status, told, code).replace(key, "[key]"),
        retry_after_seconds=wait_hint(answer.headers),
    )


def _by_status(answer: Response, took: timedelta) -> FailureCode:
    if answer.status < 500:
        return BY_STATUS.get(answer.status, FailureCode.PROVIDER_FAILED)
    # Without the id the edge may be speaking, while the machines behind it paint on. A clock that
    # was turned back proves nothing either.
    by_the_api = "x-request-id" in answer.headers
    if by_the_api and timedelta() <= took < AT_ONCE:
        return FailureCode.UNAVAILABLE
    return FailureCode.TIMEOUT_AMBIGUOUS


def _message(status: int, told: Complaint, code: FailureCode) -> str:
    head = f"{status} {told.code or told.type or ''}".strip()
    if code is FailureCode.AUTH:  # its message repeats part of the key
        return head
    text = told.message or ""
    violations = VIOLATIONS.findall(text)
    return ": ".join(part for part in (head, *violations, text) if part)
