"""The JSON of entitlements."""

from datetime import datetime
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from medici.adapters.payments.news import Source
from medici.domain.billing.models import EntitlementRow, EntitlementStatus
from medici.domain.billing.rules import Entitlement
from medici.kernel.incoming import Metadata, Moment

ShortId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[ -~]+$")]
StoreId = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00]*$")]
PlanId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[ -~]+$")]


class EntitlementOut(BaseModel):
    """What a user holds, and which source says so. It gives access while ``status`` is active."""

    user_id: str
    plan_id: str
    status: EntitlementStatus
    source: Source
    product_id: str | None
    original_transaction_id: str | None
    renews_at: datetime | None
    expires_at: datetime | None
    metadata: dict[str, object]

    @classmethod
    def of(cls, user_id: str, held: Entitlement) -> "EntitlementOut":
        return cls(
            user_id=user_id,
            plan_id=held.plan_id,
            status=held.status,
            source=held.source,
            product_id=held.product_id,
            original_transaction_id=held.original_transaction_id,
            renews_at=held.renews_at,
            expires_at=held.expires_at,
            metadata=dict(held.details),
        )


class EntitlementIn(BaseModel):
    """What an operator gives by hand. ``source`` and the store's ids are kept for the record."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    plan_id: PlanId
    status: EntitlementStatus = EntitlementStatus.ACTIVE
    source: Source = Source.MANUAL
    product_id: ShortId | None = None
    original_transaction_id: ShortId | None = None
    renews_at: Moment | None = None
    expires_at: Moment | None = None
    metadata: Metadata = Field(default_factory=dict)

    def entitlement(self) -> Entitlement:
        return Entitlement(
            plan_id=self.plan_id,
            status=self.status,
            source=self.source,
            product_id=self.product_id,
            original_transaction_id=self.original_transaction_id,
            renews_at=self.renews_at,
            expires_at=self.expires_at,
            details=self.metadata,
        )


def held_in(row: EntitlementRow) -> Entitlement:
    """Read what a row says that its owner holds."""
    return Entitlement(
        plan_id=row.plan_id,
        status=row.status,
        source=row.source,
        product_id=row.product_id,
        original_transaction_id=row.original_transaction_id,
        renews_at=row.renews_at,
        expires_at=row.expires_at,
        details=row.details,
    )
