"""Which features of the catalogue a user has."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.derive import features_of, plans_with_access
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.queries import effective_plan
from medici.domain.billing.service.deriving import derived
from medici.domain.billing.variables import FEATURES_UNION
from medici.domain.identity.owner import Owner
from medici.domain.plans.models import Plan
from medici.domain.plans.queries import load_variables


async def features(
    session: AsyncSession, *, user_id: str, policy: StorePolicy, now: datetime
) -> list[str]:
    """Return the features of the plan in effect, or of all that a user pays for, as is tuned."""
    counting = await effective_plan(session, owner=Owner.user(user_id), now=now)
    plan_ids = [counting.plan_id]
    if (await load_variables(session))[FEATURES_UNION]:
        found = await derived(session, user_id=user_id, policy=policy, now=now)
        plan_ids += plans_with_access(found)
    rows = await session.execute(
        select(Plan.plan_id, Plan.features).where(Plan.plan_id.in_(plan_ids))
    )
    return features_of(plan_ids, {row.plan_id: row.features for row in rows})
