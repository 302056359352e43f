"""Events as clients write them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from medici.kernel.incoming import storable

MOST_EVENTS = 500
LONGEST_LATENCY_MS = 86_400_000


def _whole(told: object) -> object:
    """Round what a client measured more finely than we count."""
    return round(told) if isinstance(told, float | Decimal) else told


Id = Annotated[str, StringConstraints(max_length=128), AfterValidator(storable)]
Word = Annotated[str, StringConstraints(max_length=64), AfterValidator(storable)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]
Said = Annotated[str, StringConstraints(max_length=1000), AfterValidator(storable)]
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Value = bool | Whole | float | Said | None
Platform = Annotated[str, StringConstraints(pattern="^(ios|android|web|server)$")]
Milliseconds = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=LONGEST_LATENCY_MS)]


class EventIn(BaseModel):
    """One thing that happened. Times without a zone are taken for UTC.

    Two events with the same ``event_id`` count once; without one, every event counts.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    event_name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
    event_id: UUID | None = None
    occurred_at: datetime | None = None
    user_id: Id | None = None
    anonymous_id: Id | None = None
    session_id: Id | None = None
    platform: Platform | None = None
    app_version: Word | None = None
    provider: Word | None = None
    operation: Word | None = None
    status: Word | None = None
    latency_ms: Milliseconds | None = None
    cost_usd: Annotated[Decimal, Field(ge=0, le=10_000)] | None = None
    properties: Annotated[dict[Key, Value], Field(max_length=64)] | None = None

    @property
    def attributes(self) -> dict[str, Value]:
        return self.properties or {}


class RejectedOut(BaseModel):
    """Which event was not taken, why, and which field is to blame."""

    index: int
    code: str
    field: str | None


class AcceptedOut(BaseModel):
    """``ingested`` are new, ``duplicates`` were known by their ``event_id``."""

    accepted: Literal[True] = True
    ingested: int
    duplicates: int
    rejected: list[RejectedOut] = Field(default_factory=list)
