"""What Replicate answers, read leniently: fields that we do not use may come and go."""

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from medici.adapters.providers.provider import Phase

# An id becomes part of an address, so it may not lead elsewhere.
PredictionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
PERCENTAGE = re.compile(r"(\d{1,3})%\s*\|")


class Status(StrEnum):
    STARTING = "starting"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    ABORTED = "aborted"  # given up before it ran


PHASES = {
    Status.STARTING: Phase.QUEUED,
    Status.PROCESSING: Phase.RUNNING,
    Status.SUCCEEDED: Phase.SUCCEEDED,
    Status.FAILED: Phase.FAILED,
    Status.CANCELED: Phase.CANCELED,
    Status.ABORTED: Phase.CANCELED,
}


class Metrics(BaseModel):
    """``predict_time`` is in seconds, without the wait in the queue."""

    predict_time: float | None = Field(None, ge=0, allow_inf_nan=False)
    image_count: int | None = Field(None, ge=0)


def _or_nothing(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


Lenient = WrapValidator(_or_nothing)


class Prediction(BaseModel):
    """One piece of work; the same shape in answers and in webhooks.

    What is only good to know may be unreadable without hiding that the work was taken.
    """

    id: PredictionId
    status: Status
    model: Annotated[str | None, Lenient] = None
    output: Any = None
    error: Any = None
    logs: Annotated[str | None, Lenient] = None
    metrics: Annotated[Metrics | None, Lenient] = None
    data_removed: Annotated[bool | None, Lenient] = None

    @property
    def phase(self) -> Phase:
        return PHASES[self.status]

    @property
    def progress(self) -> float | None:
        """The newest percentage of a progress bar in the logs, from 0 to 1."""
        found = PERCENTAGE.findall(self.logs or "")
        return min(int(found[-1]), 100) / 100 if found else None

    @property
    def files(self) -> tuple[str, ...]:
        """The addresses of what was made, whether the model answers one, several or an object."""
        return tuple(_addresses(self.output))


class Links(BaseModel):
    get: str


class StoredFile(BaseModel):
    """A file of ours that Replicate keeps for a day."""

    urls: Links


class SigningSecret(BaseModel):
    key: str


def prediction_of(body: bytes) -> Prediction | None:
    """Read a prediction; None where the body is none."""
    try:
        return Prediction.model_validate_json(body)
    except ValidationError:
        return None


def _addresses(output: object) -> list[str]:
    """Collect every address in an output, in its order."""
    match output:
        case str() if output.startswith(("https://", "http://")):
            return [output]
        case list():
            return [address for part in output for address in _addresses(part)]
        case dict():
            return [address for part in output.values() for address in _addresses(part)]
    return []
