"""What a store's product is in our catalogue."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Paid, Source
from medici.domain.billing.models import Purchase, StoreTransaction
from medici.domain.plans.models import Pack, Plan

COLUMNS = {
    Source.IOS: "ios_product_id",
    Source.ANDROID: "android_product_id",
    Source.WEB: "web_product_id",
    Source.MANUAL: "plan_id",  # operators name the plan itself
}


async def plan_sold_as(
    session: AsyncSession, source: Source, product_id: str | None, *, held: str | None = None
) -> Plan | None:
    """Return the plan behind a product.

    ``held`` is the plan that the product was until now: it stays so when the product has left the
    catalogue. A deleted plan comes last.
    """
    if product_id is None:
        return None
    column = getattr(Plan, COLUMNS[source])
    found = list(await session.scalars(select(Plan).where(column == product_id)))
    on_sale = [plan for plan in found if plan.deleted_at is None]
    if on_sale:
        return on_sale[0]
    if held is not None and (kept := await session.get(Plan, held)) is not None:
        return kept
    return max(found, key=lambda plan: plan.plan_id, default=None)


async def plan_of_purchase(
    session: AsyncSession, row: Purchase | None, source: Source, product_id: str
) -> Plan | None:
    """Return the plan of a purchase whose row may be there already."""
    held = row.plan_id if row is not None and row.product_id == product_id else None
    return await plan_sold_as(session, source, product_id, held=held)


async def ware_of(session: AsyncSession, paid: StoreTransaction) -> Plan | Pack | None:
    """Return what a payment was for: a pack where something was bought once, else a plan."""
    if paid.paid is not Paid.ONCE:
        return await plan_sold_as(session, paid.source, paid.product_id, held=paid.plan_id)
    if paid.source is Source.MANUAL:
        return None
    column = getattr(Pack, COLUMNS[paid.source])
    pack: Pack | None = await session.scalar(
        select(Pack).where(column == paid.product_id).order_by(Pack.pack_id).limit(1)
    )
    if pack is None and paid.lineage_id is not None:
        # Bought once and kept for ever: a plan for life.
        return await plan_sold_as(session, paid.source, paid.product_id, held=paid.plan_id)
    return pack
