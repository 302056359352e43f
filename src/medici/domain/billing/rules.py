"""What an entitlement means at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from medici.adapters.payments.news import Source
from medici.domain.billing.models import EntitlementStatus
from medici.domain.plans.defaults import FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What an owner holds, and which source says so. The defaults are what an unknown one holds.

    ``expires_at`` is the first moment without access; None means without end. ``details`` is a
    JSON object that goes with it unread.
    """

    plan_id: str = FREE
    status: EntitlementStatus = EntitlementStatus.INACTIVE
    source: Source = Source.MANUAL
    product_id: str | None = None
    original_transaction_id: str | None = None
    renews_at: datetime | None = None
    expires_at: datetime | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    def plan_at(self, now: datetime) -> str:
        """Return the id of the plan that this gives access to at ``now``."""
        ended = self.expires_at is not None and self.expires_at <= now
        return self.plan_id if self.status is EntitlementStatus.ACTIVE and not ended else FREE
