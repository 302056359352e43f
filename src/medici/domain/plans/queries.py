"""Reading the catalogue."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans.models import Plan, Style, Variable
from medici.domain.plans.variables import Variables
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver

VARIABLES = select(Variable.key, Variable.value)
EVERY_VARIABLE = Query(VARIABLES)
STYLE_WORDS = Query(select(Style.style_id, Style.prompt).where(any_of(Style.style_id, "styles")))


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
    rows = await session.execute(VARIABLES)
    return Variables({row.key: row.value for row in rows})


async def variables_now(driver: Driver) -> Variables:
    """Read every variable on a driver."""
    return Variables({row.key: row.value for row in await EVERY_VARIABLE.rows(driver)})


async def style_words(driver: Driver, style_ids: Collection[str]) -> dict[str, str]:
    """Return the words that each of the known styles puts into a prompt."""
    rows = await STYLE_WORDS.rows(driver, styles=style_ids)
    return {row.style_id: row.prompt for row in rows}
