"""Purchases that nobody bought: what operators give by hand."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import AuthMode, Buyer, Source, Standing, StoreNews
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service.lineages import lock_lineages
from medici.domain.billing.service.store_news import follow_up
from medici.domain.plans.errors import PlanNotFound
from medici.domain.plans.queries import plan_by_id
from medici.kernel.environment import Environment
from medici.kernel.ids import new_id


async def give(
    session: AsyncSession, *, user_id: str, standing: Standing, policy: StorePolicy, now: datetime
) -> None:
    """Let a purchase of a user stand as an operator says; ``product_id`` is the plan.

    Raises:
        PlanNotFound: there is no such plan.
    """
    if await plan_by_id(session, standing.product_id) is None:
        raise PlanNotFound(f"there is no plan {standing.product_id}")
    news = StoreNews(
        source=Source.MANUAL,
        environment=Environment.PRODUCTION,
        event_id=new_id().hex,
        event_type="operator",
        event_time=now,
        auth_mode=AuthMode.OPERATOR,
        buyer=Buyer(user_id=user_id),
        standings=(standing,),
    )
    await lock_lineages(session, news)
    await follow_up(session, news, policy=policy, now=now)
