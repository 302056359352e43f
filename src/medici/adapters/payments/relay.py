"""The flat form in which a relay passes on what a store told it.

A relay may be our own older server or a service between a store and us. It says how a purchase
stands; what was paid it cannot prove, so it never counts as revenue.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from medici.adapters.payments.errors import MessageUnreadable
from medici.adapters.payments.news import (
    KEPT,
    AuthMode,
    Buyer,
    Paid,
    Payment,
    PurchaseState,
    Source,
    Standing,
    StoreNews,
    Unset,
)
from medici.kernel.environment import Environment
from medici.kernel.incoming import Metadata, Moment

Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[ -~]+$")]
UserId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[ -~]+$")]

LIVE = frozenset({"active", "trialing", "grace", "billing_retry", "paused", "pending"})
ENDED = frozenset({"expired", "inactive"})
TAKEN_BACK = frozenset({"refunded", "revoked"})


class RelayMessage(BaseModel):
    """One message as it comes in. A date that is left out stays as it was; null clears it."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    event_id: Id | None = None
    user_id: UserId
    product_id: Id
    status: Annotated[str, StringConstraints(min_length=1, max_length=32)] = "active"
    renews_at: Moment | None = None
    expires_at: Moment | None = None
    original_transaction_id: Id | None = None
    metadata: Metadata = Field(default_factory=dict)
    occurred_at: Moment | None = None
    environment: Literal["production", "sandbox"] = "production"
    lifetime: bool = False


def read_relayed(raw: bytes, source: Source, proof: AuthMode, *, now: datetime) -> StoreNews:
    """Read a relay's message; without ``occurred_at`` it counts as of ``now``.

    Raises:
        MessageUnreadable: it is no such message.
    """
    try:
        message = RelayMessage.model_validate_json(raw)
    except ValidationError as error:
        raise MessageUnreadable(_first_problem(error)) from error
    return StoreNews(
        source=source,
        environment=Environment(message.environment),
        event_id=message.event_id or _derived_id(message, source),
        event_type=f"relay.{message.status}"[:128],
        event_time=message.occurred_at or now,
        auth_mode=proof,
        buyer=Buyer(user_id=message.user_id),
        standings=_standings(message, now),
        payments=_payments(message, now),
        remark=None if _is_known(message) else f"unknown status {message.status}",
    )


def _is_known(message: RelayMessage) -> bool:
    return message.status in LIVE | ENDED | TAKEN_BACK | {"canceled"}


def _standings(message: RelayMessage, now: datetime) -> tuple[Standing, ...]:
    if not _is_known(message):
        return ()
    canceled = message.status == "canceled"
    return (
        Standing(
            lineage_id=_lineage(message),
            product_id=message.product_id,
            state=_state(message.status),
            started_at=message.occurred_at or now,
            expires_at=_date(message, "expires_at"),
            renews_at=None if canceled else _date(message, "renews_at"),
            grace_expires_at=message.expires_at if message.status == "grace" else None,
            lifetime=message.lifetime,
            will_renew=message.status in LIVE and not message.lifetime,
            over_unless_dated=canceled,
            cancel_reason=message.status if message.status not in LIVE else None,
            transaction_id=_transaction(message),
            details=message.metadata,
        ),
    )


def _state(status: str) -> PurchaseState:
    if status in LIVE:
        return PurchaseState(status)
    if status in TAKEN_BACK:
        return PurchaseState.REVOKED
    return PurchaseState.ACTIVE if status == "canceled" else PurchaseState.EXPIRED


def _date(
    message: RelayMessage, name: Literal["expires_at", "renews_at"]
) -> datetime | Unset | None:
    if name not in message.model_fields_set:
        return KEPT
    moment: datetime | None = getattr(message, name)
    return moment


def _payments(message: RelayMessage, now: datetime) -> tuple[Payment, ...]:
    """Book a period only where the relay names the store's own transaction for it."""
    transaction_id = _transaction(message)
    if transaction_id is None or message.status not in {"active", "trialing"}:
        return ()
    return (
        Payment(
            transaction_id=transaction_id,
            product_id=message.product_id,
            paid=Paid.TRIAL if message.status == "trialing" else Paid.PERIOD,
            paid_at=message.occurred_at or now,
            lineage_id=_lineage(message),
            period_end=message.expires_at or message.renews_at,
        ),
    )


def _lineage(message: RelayMessage) -> str:
    return message.original_transaction_id or f"{message.user_id}:{message.product_id}"[:255]


def _transaction(message: RelayMessage) -> str | None:
    """Return the store's transaction, which counts only beside the lineage that it belongs to."""
    named = message.metadata.get("transaction_id")
    if message.original_transaction_id is None or not isinstance(named, str):
        return None
    return named if 0 < len(named) <= 200 else None


def _derived_id(message: RelayMessage, source: Source) -> str:
    """Name a message that has no id by what it says, so that its repeat is one."""
    said = [
        source.value,
        message.user_id,
        message.product_id,
        message.status,
        _written(message.renews_at),
        _written(message.expires_at),
        message.original_transaction_id,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _written(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
