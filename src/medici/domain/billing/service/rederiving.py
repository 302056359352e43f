"""Bringing purchases up to date with a catalogue that was changed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Source
from medici.domain.billing.lineages import Lineage
from medici.domain.billing.models import Purchase
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service.deriving import By, Cause
from medici.domain.billing.service.lineages import lock_lineage
from medici.domain.billing.service.products import COLUMNS
from medici.domain.billing.service.store_news import Touched, settle_lineages
from medici.domain.billing.variables import tuned
from medici.domain.plans.models import Plan

BATCH = 50


async def rederive_plan(
    session: AsyncSession,
    *,
    plan_id: str,
    policy: StorePolicy,
    now: datetime,
    after: UUID | None = None,
) -> UUID | None:
    """Bring the next purchases of a plan, or of its products, up to date without telling anybody.

    Return where the next batch begins; None after the last.
    """
    policy = await tuned(session, policy)
    rows = await _concerned(session, plan_id, after)
    for row in rows:
        lineage = Lineage(source=row.source, environment=row.environment, id=row.lineage_id)
        await lock_lineage(session, lineage)
        await settle_lineages(
            session,
            Touched(lineages={lineage}, loose=[], left=set()),
            cause=Cause(by=By.CATALOGUE, id=plan_id),
            policy=policy,
            now=now,
            quietly=True,
        )
    return rows[-1].id if len(rows) == BATCH else None


async def _concerned(session: AsyncSession, plan_id: str, after: UUID | None) -> Sequence[Purchase]:
    plan = await session.get(Plan, plan_id)
    sold_as = [
        and_(Purchase.source == source, Purchase.product_id == product_id)
        for source, column in COLUMNS.items()
        if source is not Source.MANUAL
        and plan is not None
        and (product_id := getattr(plan, column)) is not None
    ]
    statement = select(Purchase).where(or_(Purchase.plan_id == plan_id, *sold_as))
    if after is not None:
        statement = statement.where(Purchase.id > after)
    return (await session.scalars(statement.order_by(Purchase.id).limit(BATCH))).all()
