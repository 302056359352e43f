"""What Replicate's refusals and errors mean in our taxonomy."""

import re

from pydantic import BaseModel, ValidationError

from medici.adapters.providers.calls import wait_hint
from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.replicate.answers import Prediction, Status
from medici.kernel.net.client import Response

BY_STATUS = {
    400: FailureCode.INVALID_INPUT,
    401: FailureCode.AUTH,
    402: FailureCode.QUOTA,
    403: FailureCode.AUTH,
    404: FailureCode.INVALID_INPUT,  # the model or version is not there
    408: FailureCode.TIMEOUT_AMBIGUOUS,
    413: FailureCode.INVALID_INPUT,
    422: FailureCode.INVALID_INPUT,
    429: FailureCode.RATE_LIMITED,
}
# Models word their refusals freely; E005 is the code that those of the vendor's partners share.
MODERATION = re.compile(r"\bE005\b|nsfw|flagged|sensitive|content policy|moderat", re.IGNORECASE)
RESETS_IN = re.compile(r"resets in ~?\s*(\d+(?:\.\d+)?)\s*(ms|s|m)?\b")
SECONDS_OF = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}


class InvalidField(BaseModel):
    field: str = ""
    description: str = ""


class Problem(BaseModel):
    """A refusal as problem details (RFC 9457)."""

    title: str = ""
    detail: str = ""
    invalid_fields: tuple[InvalidField, ...] = ()

    @property
    def words(self) -> str:
        fields = [f"{each.field} {each.description}".strip() for each in self.invalid_fields]
        return "; ".join(filter(None, [self.detail or self.title, *fields]))


def refused_submission(answer: Response) -> ProviderFailure:
    """Tell what an answer means that brings no prediction although one was ordered.

    Neither a 5xx nor a success that cannot be read proves that nothing runs.
    """
    problem = _problem(answer)
    code = BY_STATUS.get(answer.status)
    if code is FailureCode.INVALID_INPUT and MODERATION.search(problem.words):
        code = FailureCode.MODERATED
    if code is None:
        code = _otherwise(answer.status)
    return _failure(code, answer, problem)


def refused_question(answer: Response) -> ProviderFailure:
    """Tell what an answer means that does not say how far known work is."""
    if answer.status == 404:
        return WorkExpired("Replicate does not know the prediction any more")
    code = BY_STATUS.get(answer.status, FailureCode.UNAVAILABLE)
    if code is FailureCode.INVALID_INPUT or 300 <= answer.status < 400:
        code = FailureCode.PROVIDER_FAILED
    if code is FailureCode.TIMEOUT_AMBIGUOUS:
        code = FailureCode.UNAVAILABLE
    return _failure(code, answer, _problem(answer))


def failure_of(prediction: Prediction) -> ProviderFailure | None:
    """Tell why a prediction brought nothing; None where it succeeded or still runs."""
    words = str(prediction.error or "")
    match prediction.status:
        case Status.FAILED if MODERATION.search(words):
            return ProviderFailure(FailureCode.MODERATED, words)
        case Status.FAILED:
            return ProviderFailure(FailureCode.PROVIDER_FAILED, words or "the prediction failed")
        case Status.CANCELED | Status.ABORTED:
            message = f"the prediction was {prediction.status}"
            return ProviderFailure(FailureCode.PROVIDER_FAILED, message)
        case Status.SUCCEEDED if prediction.data_removed:
            return WorkExpired("Replicate has removed the result")
    return None


def _otherwise(status: int) -> FailureCode:
    if status >= 500 or status < 300:
        return FailureCode.TIMEOUT_AMBIGUOUS
    return FailureCode.PROVIDER_FAILED if status < 400 else FailureCode.INVALID_INPUT


def _failure(code: FailureCode, answer: Response, problem: Problem) -> ProviderFailure:
    wait = _wait(answer, problem) if code is FailureCode.RATE_LIMITED else None
    message = problem.words or f"Replicate answers {answer.status}"
    return ProviderFailure(code, message, retry_after_seconds=wait)


def _wait(answer: Response, problem: Problem) -> float | None:
    """Read how many seconds to wait, from the header or else from the sentence."""
    hint = wait_hint(answer.headers)
    if hint is not None:
        return hint
    told = RESETS_IN.search(problem.detail)
    return float(told[1]) * SECONDS_OF[told[2] or ""] if told else None


def _problem(answer: Response) -> Problem:
    try:
        return Problem.model_validate_json(answer.body)
    except ValidationError:
        return Problem()
