"""The tables of entitlements and of the daily reset."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from medici.domain.identity.owner import OwnerKind
from medici.kernel.db.base import Base, enum_column


class EntitlementStatus(StrEnum):
    ACTIVE = "active"
    CANCELED = "canceled"
    EXPIRED = "expired"
    INACTIVE = "inactive"


class EntitlementSource(StrEnum):
    """Where the plan was bought, or ``manual`` for one that an operator gave."""

    IOS = "ios"
    ANDROID = "android"
    WEB = "web"
    MANUAL = "manual"


class EntitlementRow(Base):
    """The entitlement of one owner, as it was last derived. The plan may be gone by now."""

    __tablename__ = "entitlements"

    owner_kind: Mapped[OwnerKind] = mapped_column(enum_column(OwnerKind), primary_key=True)
    owner_id: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str]
    status: Mapped[EntitlementStatus] = mapped_column(enum_column(EntitlementStatus))
    source: Mapped[EntitlementSource] = mapped_column(enum_column(EntitlementSource))
    product_id: Mapped[str | None]
    original_transaction_id: Mapped[str | None]
    renews_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    details: Mapped[dict[str, object]]
    updated_at: Mapped[datetime]


class ResetScheduleRow(Base):
    """When allowances are given anew, in UTC. There is one row at most."""

    __tablename__ = "credit_reset_schedule"
    __table_args__ = (
        CheckConstraint("id = 1", name="alone"),
        CheckConstraint("reset_hour_utc BETWEEN 0 AND 23", name="hour"),
        CheckConstraint("reset_minute_utc BETWEEN 0 AND 59", name="minute"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    enabled: Mapped[bool]
    reset_hour_utc: Mapped[int]
    reset_minute_utc: Mapped[int]
