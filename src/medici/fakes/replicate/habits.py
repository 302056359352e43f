"""What a Replicate fake does by habit, as far as it may be chosen while it runs."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

PREDICT_SECONDS = 5.25  # what every prediction claims to have run


class OutputShape(StrEnum):
    STRING = "string"
    LIST = "list"
    OBJECT = "object"


class Habits(BaseModel):
    """How predictions go; ``seconds`` pass on the fake's clock from order to end.

    ``deliveries`` says how often a webhook is sent although the first was taken. With
    ``answer_seconds`` of real time between taking an order and answering, its webhook overtakes
    the answer.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    output: OutputShape = OutputShape.STRING
    seconds: float = Field(0.2, ge=0)
    deliveries: int = Field(1, ge=1, le=10)
    answer_seconds: float = Field(0, ge=0)
