"""What a Stripe fake does by habit, as far as it may be chosen while it runs."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

SECRET = "whsec_fake"  # noqa: S105 - a secret that everybody may know


class Shape(StrEnum):
    NEW = "new"
    OLD = "old"  # as before the API version 2025-03-31


class Habits(BaseModel):
    """How events are told. Nothing is sent as long as there is no ``webhook_url``.

    ``deliveries`` says how often an event is sent although it was taken; with ``twins`` each
    change is told by two events with ids of their own; with ``reorder`` what happened together is
    sent backwards. ``delay_seconds`` pass on the fake's clock.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    webhook_url: str | None = None
    secrets: tuple[str, ...] = (SECRET,)
    shape: Shape = Shape.NEW
    deliveries: int = Field(1, ge=1, le=10)
    twins: bool = False
    reorder: bool = False
    delay_seconds: float = Field(0, ge=0)
