"""What an entitlement means at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from medici.adapters.payments.news import Source
from medici.domain.billing.models import EntitlementStatus
from medici.domain.plans.defaults import FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """The plan that follows when the present one has ended, and its own end."""

    plan_id: str
    ends_at: datetime | None

    def lasts(self, now: datetime) -> bool:
        return self.ends_at is None or self.ends_at > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What an owner holds, and which source says so. The defaults are what an unknown one holds.

    ``expires_at`` is the first moment without access; None means without end. ``then`` is what
    another purchase gives from then on. ``details`` is a JSON object that goes with it unread.
    """

    plan_id: str = FREE
    status: EntitlementStatus = EntitlementStatus.INACTIVE
    source: Source = Source.MANUAL
    product_id: str | None = None
    original_transaction_id: str | None = None
    renews_at: datetime | None = None
    expires_at: datetime | None = None
    then: Succession | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    def ended(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def active(self, now: datetime) -> bool:
        """Tell whether what it names gives access at ``now``."""
        return self.status is EntitlementStatus.ACTIVE and not self.ended(now)

    def plan_at(self, now: datetime) -> str:
        """Return the id of the plan that this gives access to at ``now``."""
        if self.status is not EntitlementStatus.ACTIVE:
            return FREE
        if not self.ended(now):
            return self.plan_id
        return self.then.plan_id if self.then and self.then.lasts(now) else FREE

    def at(self, now: datetime) -> "Entitlement":
        """Return it as it looks at ``now``: what the clock has ended has expired."""
        if self.status is EntitlementStatus.ACTIVE and self.ended(now):
            return replace(self, status=EntitlementStatus.EXPIRED)
        return self
