"""Tables of what facts add up to. Everything in them can be computed anew from the facts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from medici.kernel.db.base import Base

# What facts are told apart by; "" stands for what does not apply.
DIMENSIONS = (
    "name",
    "provider",
    "model",
    "operation",
    "tier",
    "status",
    "platform",
    "plan_id",
    "error_code",
)
BIN_DIMENSIONS = ("name", "provider", "operation", "tier", "status")


class _Cell:
    """The facts of one span that are alike, counted and added up."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[PrimaryKeyConstraint]:  # noqa: N805 - as SQLAlchemy has it
        return (PrimaryKeyConstraint("since", *DIMENSIONS, "trusted"),)

    since: Mapped[datetime]
    name: Mapped[str]
    provider: Mapped[str]
    model: Mapped[str]
    operation: Mapped[str]
    tier: Mapped[str]
    status: Mapped[str]
    platform: Mapped[str]
    plan_id: Mapped[str]
    error_code: Mapped[str]
    trusted: Mapped[bool]
    events: Mapped[int]
    timed: Mapped[int]  # those with a latency
    latency_ms: Mapped[int]  # of all those together
    costed: Mapped[int]  # those with a cost
    cost_micros: Mapped[int]
    credits: Mapped[int]


class HourCell(_Cell, Base):
    __tablename__ = "analytics_hourly"


class DayCell(_Cell, Base):
    """Days of UTC."""

    __tablename__ = "analytics_daily"


class _LatencyBin:
    """How many alike facts of one span took about as long; ``histogram`` says what a bin holds."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[PrimaryKeyConstraint]:  # noqa: N805 - as SQLAlchemy has it
        return (PrimaryKeyConstraint("since", *BIN_DIMENSIONS, "bin"),)

    since: Mapped[datetime]
    name: Mapped[str]
    provider: Mapped[str]
    operation: Mapped[str]
    tier: Mapped[str]
    status: Mapped[str]
    bin: Mapped[int]
    events: Mapped[int]


class HourLatency(_LatencyBin, Base):
    __tablename__ = "analytics_latency_hourly"


class DayLatency(_LatencyBin, Base):
    __tablename__ = "analytics_latency_daily"


class UserHour(Base):
    """What the renders of one user that ended in an hour came to."""

    __tablename__ = "analytics_user_hourly"
    __table_args__ = (PrimaryKeyConstraint("since", "user_id"),)

    since: Mapped[datetime]
    user_id: Mapped[str]
    renders: Mapped[int]
    completed: Mapped[int]
    previews: Mapped[int]  # completed
    finals: Mapped[int]  # completed
    credits: Mapped[int]  # of the completed ones
    cost_micros: Mapped[int]


class FirstSeen(Base):
    """When an actor was first seen. An actor is ``u:`` and a user, or ``a:`` and a device."""

    __tablename__ = "analytics_first_seen"

    actor: Mapped[str] = mapped_column(String(160), primary_key=True)
    first_at: Mapped[datetime] = mapped_column(index=True)


class ActiveQuarter(Base):
    """A quarter of an hour in which an actor did something; every time zone begins with one."""

    __tablename__ = "analytics_active_quarters"
    __table_args__ = (PrimaryKeyConstraint("since", "actor"), Index(None, "actor"))

    since: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(160))


class Identity(Base):
    """The user that a device turned out to be: the first who signed in on it."""

    __tablename__ = "analytics_identities"

    anonymous_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(128), index=True)
    linked_at: Mapped[datetime]


class StaleHour(Base):
    """An hour that has had facts since it was last rolled up."""

    __tablename__ = "analytics_stale_hours"

    since: Mapped[datetime] = mapped_column(primary_key=True)


class RollupState(Base):
    """How far the rollup has come. There is one row at most."""

    __tablename__ = "analytics_rollup"
    __table_args__ = (CheckConstraint("id = 1", name="alone"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    last_id: Mapped[UUID | None]  # of the newest fact that was looked at
    rolled_to: Mapped[datetime]  # hours before it are rolled up
    ran_at: Mapped[datetime]
