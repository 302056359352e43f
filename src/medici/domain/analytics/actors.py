"""Who did something: a user, or a device that nobody has signed in on."""

from sqlalchemy import ColumnElement, case, literal_column
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import Text

from medici.domain.analytics.models import Identity
from medici.domain.events.facts import EventName
from medici.domain.events.models import Event

USER: ColumnElement[str] = literal_column("'u:'", Text)
DEVICE: ColumnElement[str] = literal_column("'a:'", Text)
# What happens to users without their doing anything.
PASSIVE = (
    EventName.RENDER_STATUS_UPDATED,
    EventName.RENDER_PROVIDER_ATTEMPT_FAILED,
    EventName.RENDER_DISPATCH_FAILED,
    EventName.CREDITS_GRANTED,
    EventName.CREDITS_REFUNDED,
    EventName.CREDITS_EXPIRED,
    EventName.SUBSCRIPTION_RENEWED,
    EventName.SUBSCRIPTION_CHANGED,
    EventName.SUBSCRIPTION_ENDED,
    EventName.TRIAL_CONVERTED,
    EventName.PURCHASE_REFUNDED,
)


def actor_of_fact() -> ColumnElement[str | None]:
    """Return whose fact it is, for a select that joins identities by the fact's device."""
    return case(
        (Event.user_id.is_not(None), USER.concat(Event.user_id)),
        (Identity.user_id.is_not(None), USER.concat(Identity.user_id)),
        (Event.anonymous_id.is_not(None), DEVICE.concat(Event.anonymous_id)),
    )


def user_actor(user_id: InstrumentedAttribute[str]) -> ColumnElement[str]:
    return USER.concat(user_id)


def device_actor(anonymous_id: InstrumentedAttribute[str]) -> ColumnElement[str]:
    return DEVICE.concat(anonymous_id)
