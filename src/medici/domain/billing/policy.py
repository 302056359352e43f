"""What this deployment decided about purchases."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from medici.kernel.environment import Environment
from medici.settings import Settings


class SandboxPurchases(StrEnum):
    """Whose purchases in a store's sandbox give what real ones give."""

    DENY = "deny"
    ALLOWLIST = "allowlist"
    ALLOW = "allow"


class Transfers(StrEnum):
    """What happens when somebody shows a purchase that another user has."""

    KEEP = "keep"
    TRANSFER = "transfer"
    TRANSFER_IF_INACTIVE = "transfer_if_inactive"


class Clawback(StrEnum):
    """What happens to refunded credits that were spent before."""

    FLOOR = "floor"  # they are let go
    RECOVER = "recover"  # later gifts pay for them


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePolicy:
    """Decisions about purchases, passed along instead of the settings.

    ``transfers`` None keeps a purchase whose owner the store named, and transfers any other.
    ``leeway`` is how long a purchase that renews lasts beyond its end, while news is on its way;
    it is a variable, and read where decisions are made. ``reports_use`` says that customers consent
    to a store's hearing how much they used of what they want back.
    """

    sandbox: SandboxPurchases = SandboxPurchases.ALLOWLIST
    sandbox_users: frozenset[str] = frozenset()
    transfers: Transfers | None = None
    clawback: Clawback = Clawback.FLOOR
    leeway: timedelta = timedelta()
    reports_use: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "StorePolicy":
        named = settings.purchase_transfer_policy
        return cls(
            sandbox=SandboxPurchases(settings.sandbox_purchases),
            sandbox_users=frozenset(settings.sandbox_user_ids),
            transfers=Transfers(named) if named else None,
            clawback=Clawback(settings.clawback_policy),
            reports_use=settings.app_store_consumption_consent,
        )

    def admits(self, environment: Environment, user_id: str) -> bool:
        """Tell whether a user's purchases of an environment count."""
        if environment is Environment.PRODUCTION or self.sandbox is SandboxPurchases.ALLOW:
            return True
        return self.sandbox is SandboxPurchases.ALLOWLIST and user_id in self.sandbox_users

    def keeps(self, *, bound: bool) -> bool:
        """Tell whether a purchase stays with the owner that it has."""
        return bound if self.transfers is None else self.transfers is Transfers.KEEP
