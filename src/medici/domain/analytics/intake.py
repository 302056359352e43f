"""What becomes of an event that somebody reports: a fact, or a reason to reject it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol, TypeAlias
from uuid import UUID

from medici.domain.events.facts import Fact

EARLIEST = timedelta(days=30)  # before it was received
LATEST = timedelta(hours=1)  # after it was received
# What clients send where they have no id; each would make one person out of many.
NOBODY = frozenset(
    {"", "0", "null", "none", "nil", "undefined", "anonymous", "unknown", str(UUID(int=0))}
)
Scalar: TypeAlias = str | int | float | bool | None


class Reported(Protocol):
    """An event as somebody tells it, in the right types. ``cost_usd`` is in US dollars."""

    event_name: str
    event_id: UUID | None
    occurred_at: datetime | None
    user_id: str | None
    anonymous_id: str | None
    session_id: str | None
    platform: str | None
    app_version: str | None
    provider: str | None
    operation: str | None
    status: str | None
    latency_ms: int | None
    cost_usd: Decimal | None

    @property
    def attributes(self) -> Mapping[str, Scalar]:
        """What else is told of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Who tells it. ``user_id`` None is an operator, who may speak of anybody."""

    user_id: str | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why an event is not taken, and which field is to blame."""

    code: str
    field: str | None


def judge(
    told: Reported, reporter: Reporter, *, now: datetime, behind: timedelta
) -> Fact | Rejection:
    """Turn a reported event into a fact, or say why it cannot be one.

    ``behind`` is how far the sender's clock is behind ours. What a user reports is about that user
    and is not trusted: it counts as something that a client says, never as a render or a payment.
    """
    for name, id_ in (("user_id", told.user_id), ("anonymous_id", told.anonymous_id)):
        if id_ is not None and id_.strip().lower() in NOBODY:
            return Rejection(code="placeholder_id", field=name)
    if reporter.user_id is not None and told.user_id not in {None, reporter.user_id}:
        return Rejection(code="forbidden_user_scope", field="user_id")
    occurred_at = corrected(told.occurred_at, now=now, behind=behind)
    if occurred_at is None:
        return Rejection(code="ts_out_of_range", field="occurred_at")
    return _fact(told, reporter, occurred_at)


def corrected(told: datetime | None, *, now: datetime, behind: timedelta) -> datetime | None:
    """Return when something happened by our clock; None if that is too long ago or to come."""
    if told is None:
        return now
    aware = told if told.tzinfo else told.replace(tzinfo=UTC)
    try:
        moment = aware.astimezone(UTC) + behind
    except OverflowError:
        return None
    return moment if now - EARLIEST <= moment <= now + LATEST else None


def _fact(told: Reported, reporter: Reporter, occurred_at: datetime) -> Fact:
    return Fact(
        name=told.event_name,
        occurred_at=occurred_at,
        user_id=reporter.user_id or told.user_id,
        platform=told.platform or reporter.platform,
        provider=told.provider,
        operation=told.operation,
        status=told.status,
        latency_ms=told.latency_ms,
        cost_micros=None if told.cost_usd is None else _micros(told.cost_usd),
        trusted=reporter.user_id is None,
        event_id=told.event_id,
        anonymous_id=told.anonymous_id,
        session_id=told.session_id,
        app_version=told.app_version,
        properties=told.attributes,
    )


def _micros(dollars: Decimal) -> int:
    return int((dollars * 1_000_000).to_integral_value(ROUND_HALF_EVEN))
