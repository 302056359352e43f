"""An operator's word that beats every purchase, until a day that is named with it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import PurchaseState, Source, Standing
from medici.domain.billing.derive import access
from medici.domain.billing.errors import EndNotAhead, OverrideNotFound
from medici.domain.billing.lineages import Lineage
from medici.domain.billing.models import Purchase
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.billing.service.given import give
from medici.domain.billing.service.purchases import OVERRIDE, held, purchase_of
from medici.domain.identity.owner import Owner
from medici.kernel.environment import Environment


async def override(
    session: AsyncSession,
    *,
    user_id: str,
    plan_id: str,
    until: datetime,
    reason: str,
    policy: StorePolicy,
    now: datetime,
) -> None:
    """Give a user exactly this plan until a moment, whatever they have bought.

    Raises:
        PlanNotFound: there is no such plan.
        EndNotAhead: the moment has passed.
    """
    if until <= now:
        raise EndNotAhead("an override ends at some time to come")
    standing = _standing(user_id, plan_id, until=until, reason=reason, now=now)
    await give(session, user_id=user_id, standing=standing, policy=policy, now=now)
    await ensure_allowance(session, owner=Owner.user(user_id), now=now)


async def remove_override(
    session: AsyncSession, *, user_id: str, reason: str, policy: StorePolicy, now: datetime
) -> None:
    """Let a user's purchases count again.

    Raises:
        OverrideNotFound: there is no override that still lasts.
    """
    row = await override_of(session, user_id=user_id)
    if row is None or not access(held(row), now):
        raise OverrideNotFound(f"no override of {user_id} lasts now")
    standing = _standing(user_id, row.product_id, until=now, reason=reason, now=now)
    await give(session, user_id=user_id, standing=standing, policy=policy, now=now)


async def override_of(session: AsyncSession, *, user_id: str) -> Purchase | None:
    """Return a user's override, whether or not it still lasts."""
    lineage = Lineage(
        source=Source.MANUAL, environment=Environment.PRODUCTION, id=f"{OVERRIDE}{user_id}"
    )
    return await purchase_of(session, lineage)


def _standing(
    user_id: str, plan_id: str, *, until: datetime, reason: str, now: datetime
) -> Standing:
    over = until <= now
    return Standing(
        lineage_id=f"{OVERRIDE}{user_id}",
        product_id=plan_id,
        state=PurchaseState.EXPIRED if over else PurchaseState.ACTIVE,
        started_at=now,
        expires_at=until,
        cancel_reason="removed" if over else None,
        details={"metadata": {"override": True, "reason": reason}},
    )
