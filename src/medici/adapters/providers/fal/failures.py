"""What fal's refusals and errors mean in our taxonomy. They come in three shapes."""

from pydantic import BaseModel, ValidationError

from medici.adapters.providers.calls import wait_hint
from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.fal.answers import Status
from medici.adapters.providers.fal.patience import may_be_retried, waited_too_long
from medici.kernel.net.client import Response

BY_TYPE = {
    "content_policy_violation": FailureCode.MODERATED,
    "no_media_generated": FailureCode.NO_OUTPUT,
    "generation_timeout": FailureCode.PROVIDER_FAILED,
    "request_timeout": FailureCode.PROVIDER_FAILED,
    "startup_timeout": FailureCode.PROVIDER_FAILED,
    "downstream_service_error": FailureCode.UNAVAILABLE,
    "downstream_service_unavailable": FailureCode.UNAVAILABLE,
    "internal_server_error": FailureCode.UNAVAILABLE,
    "client_cancelled": FailureCode.PROVIDER_FAILED,
    "client_disconnected": FailureCode.PROVIDER_FAILED,
    "concurrent_requests_limit": FailureCode.RATE_LIMITED,
    "bad_request": FailureCode.INVALID_INPUT,
    "image_too_small": FailureCode.INVALID_INPUT,
    "image_too_large": FailureCode.INVALID_INPUT,
    "image_load_error": FailureCode.INVALID_INPUT,
    "file_download_error": FailureCode.INVALID_INPUT,
    "file_too_large": FailureCode.INVALID_INPUT,
    "feature_not_supported": FailureCode.INVALID_INPUT,
    "value_error": FailureCode.INVALID_INPUT,
    "missing": FailureCode.INVALID_INPUT,
}
BY_STATUS = {
    400: FailureCode.INVALID_INPUT,
    401: FailureCode.AUTH,
    402: FailureCode.QUOTA,
    403: FailureCode.AUTH,
    404: FailureCode.INVALID_INPUT,  # there is no such model
    408: FailureCode.TIMEOUT_AMBIGUOUS,
    413: FailureCode.INVALID_INPUT,
    422: FailureCode.INVALID_INPUT,
    429: FailureCode.RATE_LIMITED,
}
PASSING = frozenset(
    {FailureCode.UNAVAILABLE, FailureCode.RATE_LIMITED, FailureCode.TIMEOUT_AMBIGUOUS}
)
RUNNER = "runner_"  # a family of errors: the machine, not the work
CANCELED = frozenset({"client_cancelled", "client_disconnected"})
BALANCE_WORDS = ("balance", "exhausted", "billing", "payment")


class Detail(BaseModel):
    """One fault that a model found. Its ``input`` is the customer's and is not read."""

    msg: str = ""
    type: str = ""


class Problem(BaseModel):
    """A refusal: a sentence, or a list of faults, with or without a type of its own."""

    detail: str | tuple[Detail, ...] = ""
    error: str = ""
    error_type: str = ""

    @property
    def type(self) -> str:
        if self.error_type or isinstance(self.detail, str):
            return self.error_type
        return next((fault.type for fault in self.detail), "")

    @property
    def words(self) -> str:
        if isinstance(self.detail, str):
            return self.detail or self.error
        return "; ".join(fault.msg for fault in self.detail)


def refused_submission(answer: Response) -> ProviderFailure:
    """Tell what an answer means that brings no work although some was ordered.

    A platform error names its type, which proves that fal itself turned the order down. Any other
    5xx, and a success that cannot be read, prove nothing: the work may run.
    """
    problem, hint = _problem(answer), may_be_retried(answer.headers)
    code = _code_of(problem, answer.status)
    if waited_too_long(answer.headers) or (code is FailureCode.UNAVAILABLE and hint is False):
        code = FailureCode.PROVIDER_FAILED
    elif code is None:
        turned_down = problem.type and hint
        code = FailureCode.UNAVAILABLE if turned_down else FailureCode.TIMEOUT_AMBIGUOUS
    wait = wait_hint(answer.headers) if code is FailureCode.RATE_LIMITED else None
    return _failure(code, problem, answer.status, wait)


def refused_question(answer: Response) -> ProviderFailure:
    """Tell what an answer means that does not say how far known work is."""
    if answer.status == 404:
        return WorkExpired("fal does not know the request any more")
    problem = _problem(answer)
    garbled = 200 <= answer.status < 300
    passing = garbled or answer.status >= 500 or answer.status in {408, 429}
    code = FailureCode.UNAVAILABLE if passing else BY_STATUS.get(answer.status)
    if code is FailureCode.INVALID_INPUT or code is None:
        code = FailureCode.PROVIDER_FAILED
    return _failure(code, problem, answer.status, wait_hint(answer.headers) if passing else None)


def is_about_the_work(answer: Response) -> bool:
    """Tell whether an answer speaks of the result, and not of a bad moment of who brings it."""
    headers = answer.headers
    return answer.status < 500 or "x-fal-error-type" in headers or waited_too_long(headers)


def failed_result(answer: Response, *, retried: bool = True) -> ProviderFailure:
    """Tell why work that has ended brings no result: its error is what the result answers.

    ``retried`` tells that the queue has tried it several times already.
    """
    if answer.status in {404, 410}:
        return WorkExpired("fal has removed the result")
    problem, hint = _problem(answer), may_be_retried(answer.headers)
    code = _code_of(problem, answer.status)
    if code is None and hint:
        code = FailureCode.UNAVAILABLE
    if waited_too_long(answer.headers) or code is None:
        code = FailureCode.PROVIDER_FAILED
    return _failure(_in_the_end(code, hint, retried=retried), problem, answer.status, None)


def failed_work(status: Status, *, hint: bool | None, retried: bool) -> ProviderFailure:
    """Tell what it means that work ended with an error; ``hint`` is whether another try may help.

    ``retried`` tells that the queue has tried it several times already.
    """
    error_type = status.error_type or ""
    code = _code_of_type(error_type) or FailureCode.PROVIDER_FAILED
    return ProviderFailure(_in_the_end(code, hint, retried=retried), status.error or error_type)


def _in_the_end(code: FailureCode, hint: bool | None, *, retried: bool) -> FailureCode:
    """Return what a passing trouble means to work that has ended of it."""
    if code is FailureCode.UNAVAILABLE and not retried and hint is not False:
        return code
    return FailureCode.PROVIDER_FAILED if code in PASSING else code


def _code_of(problem: Problem, status: int) -> FailureCode | None:
    if code := _code_of_type(problem.type):
        return code
    if problem.type and 400 <= status < 500:
        return FailureCode.INVALID_INPUT
    if status == 403 and any(word in problem.words.lower() for word in BALANCE_WORDS):
        return FailureCode.QUOTA
    if status in BY_STATUS:
        return BY_STATUS[status]
    if 400 <= status < 500:
        return FailureCode.INVALID_INPUT
    return FailureCode.PROVIDER_FAILED if 300 <= status < 400 else None


def _code_of_type(error_type: str) -> FailureCode | None:
    if error_type.startswith(RUNNER):
        return FailureCode.UNAVAILABLE
    return BY_TYPE.get(error_type)


def _failure(
    code: FailureCode, problem: Problem, status: int, wait: float | None
) -> ProviderFailure:
    message = problem.words or problem.type or f"fal answers {status}"
    return ProviderFailure(code, message, retry_after_seconds=wait)


def _problem(answer: Response) -> Problem:
    named = answer.headers.get("X-Fal-Error-Type", "")
    try:
        problem = Problem.model_validate_json(answer.body)
    except ValidationError:
        return Problem(error_type=named)
    return problem if problem.error_type else problem.model_copy(update={"error_type": named})
