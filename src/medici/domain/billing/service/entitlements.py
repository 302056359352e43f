"""Writing entitlements by hand."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import PurchaseState, Standing
from medici.domain.billing.models import EntitlementStatus
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.rules import Entitlement
from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.billing.service.deriving import write_entitlement
from medici.domain.billing.service.given import give
from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.plans.errors import PlanNotFound
from medici.domain.plans.queries import plan_by_id

MANUAL = "manual:"  # what the lineage of a purchase given by hand begins with
STATES = {
    EntitlementStatus.ACTIVE: PurchaseState.ACTIVE,
    EntitlementStatus.CANCELED: PurchaseState.REVOKED,
    EntitlementStatus.EXPIRED: PurchaseState.EXPIRED,
    EntitlementStatus.INACTIVE: PurchaseState.PENDING,
}
DEFAULTS = StorePolicy()


async def set_entitlement(
    session: AsyncSession,
    *,
    owner: Owner,
    entitlement: Entitlement,
    now: datetime,
    policy: StorePolicy = DEFAULTS,
) -> None:
    """Write by hand what an owner holds, whole; a better plan tops up the day at once.

    What a user has bought stays bought: this is one more purchase beside those, and the best
    counts. What other owners hold is just what was written.

    Raises:
        PlanNotFound: there is no such plan.
    """
    if owner.kind is OwnerKind.USER:
        standing = _standing(owner, entitlement, now)
        await give(session, user_id=owner.id, standing=standing, policy=policy, now=now)
    elif await plan_by_id(session, entitlement.plan_id) is None:
        raise PlanNotFound(f"there is no plan {entitlement.plan_id}")
    else:
        await write_entitlement(session, owner, entitlement, purchase_id=None, now=now)
    await ensure_allowance(session, owner=owner, now=now)


def _standing(owner: Owner, entitlement: Entitlement, now: datetime) -> Standing:
    return Standing(
        lineage_id=f"{MANUAL}{owner.id}",
        product_id=entitlement.plan_id,
        state=STATES[entitlement.status],
        started_at=now,
        expires_at=entitlement.expires_at,
        renews_at=entitlement.renews_at,
        details={
            "source": entitlement.source,
            "product_id": entitlement.product_id,
            "original_transaction_id": entitlement.original_transaction_id,
            "metadata": dict(entitlement.details),
        },
    )
