"""Reading the catalogue."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans.models import Plan, Style, Variable
from medici.domain.plans.variables import Variables


async def active_plans(session: AsyncSession) -> list[Plan]:
    """Return what can be sold now, cheapest first."""
    found = await session.scalars(
        select(Plan).where(Plan.is_active).order_by(Plan.monthly_price_cents, Plan.plan_id)
    )
    return list(found)


async def plan_by_id(session: AsyncSession, plan_id: str) -> Plan | None:
    return await session.get(Plan, plan_id)


async def active_styles(session: AsyncSession) -> list[Style]:
    """Return the looks on offer, in the operator's order."""
    found = await session.scalars(
        select(Style).where(Style.is_active).order_by(Style.sort_order, Style.style_id)
    )
    return list(found)


async def style_by_id(session: AsyncSession, style_id: str) -> Style | None:
    return await session.get(Style, style_id)


async def load_variables(session: AsyncSession) -> Variables:
    """Read every variable at once."""
    rows = await session.execute(select(Variable.key, Variable.value))
    return Variables({row.key: row.value for row in rows})
