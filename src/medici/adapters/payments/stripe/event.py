"""One event of Stripe, opened but not yet understood."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from medici.adapters.payments.errors import MessageUnreadable
from medici.adapters.payments.stripe.fields import Id, Moment
from medici.kernel.environment import Environment

EventType = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[!-~]+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeEvent:
    """What happened (``type``), when, and to which object; ``body`` is that object as sent."""

    id: str
    type: str
    created_at: datetime
    environment: Environment
    body: Mapping[str, object] = field(repr=False)


class _Data(BaseModel):
    object: dict[str, object]


class Envelope(BaseModel):
    """An event as it comes in, by webhook or from the list of events."""

    model_config = ConfigDict(extra="ignore")

    id: Id
    type: EventType
    created: Moment
    livemode: bool
    data: _Data

    def opened(self) -> StripeEvent:
        return StripeEvent(
            id=self.id,
            type=self.type,
            created_at=self.created,
            environment=environment_of(livemode=self.livemode),
            body=self.data.object,
        )


def open_event(raw: bytes) -> StripeEvent:
    """Read an event, whoever sent it.

    Raises:
        MessageUnreadable: it is no event.
    """
    try:
        return Envelope.model_validate_json(raw).opened()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MessageUnreadable(f"{place}: {first['msg']}" if place else first["msg"]) from None


def environment_of(*, livemode: bool) -> Environment:
    return Environment.PRODUCTION if livemode else Environment.SANDBOX
