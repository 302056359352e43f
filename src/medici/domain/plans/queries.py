"""Reading the catalogue."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans.models import (
    CatalogueRevision,
    Pack,
    Plan,
    Style,
    Variable,
)
from medici.domain.plans.rules import Products
from medici.domain.plans.variables import Variables
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver

VARIABLES = select(Variable.key, Variable.value)
EVERY_VARIABLE = Query(VARIABLES)
STYLE_WORDS = Query(select(Style.style_id, Style.prompt).where(any_of(Style.style_id, "styles")))


async def catalogue_revision(session: AsyncSession) -> int:
    """Return the number that rises with each change of plans, styles and variables."""
    number = await session.scalar(select(CatalogueRevision.number))
    return number or 0


async def active_plans(session: AsyncSession) -> list[Plan]:
    """Return what can be sold now, cheapest first."""
    return list((await session.scalars(plans_in_order(active=True))).all())


def plans_in_order(*, active: bool | None = None, deleted: bool = False) -> Select[Plan]:
    """Select plans, cheapest first: those in the catalogue, or those that were deleted."""
    gone = Plan.deleted_at.is_not(None) if deleted else Plan.deleted_at.is_(None)
    wanted = select(Plan).where(gone).order_by(Plan.monthly_price_cents, Plan.plan_id)
    return wanted if active is None else wanted.where(Plan.is_active.is_(active))


async def plan_by_id(session: AsyncSession, plan_id: str) -> Plan | None:
    """Return a plan, even one that was deleted: somebody may hold it still."""
    return await session.get(Plan, plan_id)


async def pack_by_id(session: AsyncSession, pack_id: str) -> Pack | None:
    return await session.get(Pack, pack_id)


def packs_in_order(*, active: bool | None = None) -> Select[Pack]:
    """Select packs in the operator's order."""
    wanted = select(Pack).order_by(Pack.sort_order, Pack.pack_id)
    return wanted if active is None else wanted.where(Pack.is_active.is_(active))


async def sold_as(session: AsyncSession, products: Products) -> list[tuple[str, Plan | Pack]]:
    """Return every plan and pack that has one of these products, named such as ``plan:pro``."""
    if not any(products):
        return []
    plans = await session.scalars(
        select(Plan).where(Plan.deleted_at.is_(None), _has_one_of(Plan, products))
    )
    packs = await session.scalars(select(Pack).where(_has_one_of(Pack, products)))
    return [
        *((f"plan:{plan.plan_id}", plan) for plan in plans),
        *((f"pack:{pack.pack_id}", pack) for pack in packs),
    ]


def _has_one_of(table: type[Plan | Pack], products: Products) -> ColumnElement[bool]:
    return or_(
        *(getattr(table, f"{store}_product_id") == product_id for store, product_id in products)
    )


async def active_styles(session: AsyncSession) -> list[Style]:
    """Return the looks on offer, in the operator's order."""
    return list((await session.scalars(styles_in_order(active=True))).all())


def styles_in_order(*, active: bool | None = None) -> Select[Style]:
    """Select styles in the operator's order."""
    wanted = select(Style).order_by(Style.sort_order, Style.style_id)
    return wanted if active is None else wanted.where(Style.is_active.is_(active))


async def style_by_id(session: AsyncSession, style_id: str) -> Style | None:
    return await session.get(Style, style_id)


async def stored_variables(session: AsyncSession) -> Sequence[Variable]:
    """Return what is stored, by key."""
    return (await session.scalars(select(Variable).order_by(Variable.key))).all()


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
