"""Writing entitlements."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.models import EntitlementRow
from medici.domain.billing.rules import Entitlement
from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.identity.owner import Owner
from medici.domain.plans.errors import PlanNotFound
from medici.domain.plans.queries import plan_by_id
from medici.kernel.db.inserts import insert_into


async def set_entitlement(
    session: AsyncSession, *, owner: Owner, entitlement: Entitlement, now: datetime
) -> None:
    """Write by hand what an owner holds, whole; a better plan tops up the day at once.

    Raises:
        PlanNotFound: there is no such plan.
    """
    if await plan_by_id(session, entitlement.plan_id) is None:
        raise PlanNotFound(f"there is no plan {entitlement.plan_id}")
    await _write(session, owner, entitlement, now)
    await ensure_allowance(session, owner=owner, now=now)


async def _write(
    session: AsyncSession, owner: Owner, entitlement: Entitlement, now: datetime
) -> None:
    held = {
        "plan_id": entitlement.plan_id,
        "status": entitlement.status,
        "source": entitlement.source,
        "product_id": entitlement.product_id,
        "original_transaction_id": entitlement.original_transaction_id,
        "renews_at": entitlement.renews_at,
        "expires_at": entitlement.expires_at,
        "details": dict(entitlement.details),
        "updated_at": now,
    }
    insert = insert_into(session, EntitlementRow)
    row = insert.values(owner_kind=owner.kind, owner_id=owner.id, **held)
    key = [EntitlementRow.owner_kind, EntitlementRow.owner_id]
    await session.execute(row.on_conflict_do_update(index_elements=key, set_=held))
