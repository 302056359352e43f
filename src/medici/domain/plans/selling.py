"""What is sold: saving and withdrawing plans and packs."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans import queries
from medici.domain.plans.changes import lock_catalogue, remove, save, values_of
from medici.domain.plans.defaults import FREE
from medici.domain.plans.errors import PackNotFound, PlanNotFound, PlanRequired, ProductIdTaken
from medici.domain.plans.models import Pack, Plan
from medici.domain.plans.rules import Change, PackTerms, PlanTerms, Products, clash

KEPT = ("period_credits", "trial_credits")  # where nothing is said about them


async def save_plan(
    session: AsyncSession, *, plan_id: str, terms: PlanTerms, now: datetime
) -> Change:
    """Make a plan, or change it; one that was withdrawn is sold again.

    Raises:
        ProductIdTaken: another plan or a pack is sold as one of these products.
    """
    await lock_catalogue(session)
    await _keep_products_apart(session, f"plan:{plan_id}", terms.products)
    values = {**values_of(terms), "deleted_at": None}
    known = await queries.plan_by_id(session, plan_id)
    for name in KEPT:
        if values[name] is None:
            values[name] = getattr(known, name) if known else 0
    return await save(session, Plan, plan_id, values, now=now)


async def withdraw_plan(session: AsyncSession, *, plan_id: str, now: datetime) -> Change:
    """Take a plan out of the catalogue; those who hold it keep it until it ends.

    Raises:
        PlanRequired: it is the free plan.
        PlanNotFound: there is none, or none any more.
    """
    if plan_id == FREE:
        raise PlanRequired(plan_id)
    await lock_catalogue(session)
    plan = await queries.plan_by_id(session, plan_id)
    if plan is None or plan.deleted_at is not None:
        raise PlanNotFound(f"there is no plan {plan_id}")
    return await save(session, Plan, plan_id, {"deleted_at": now}, now=now)


async def save_pack(
    session: AsyncSession, *, pack_id: str, terms: PackTerms, now: datetime
) -> Change:
    """Make a pack, or change it.

    Raises:
        ProductIdTaken: a plan or another pack is sold as one of these products.
    """
    await lock_catalogue(session)
    await _keep_products_apart(session, f"pack:{pack_id}", terms.products)
    return await save(session, Pack, pack_id, values_of(terms), now=now)


async def delete_pack(session: AsyncSession, *, pack_id: str) -> Change:
    """Delete a pack; credits that were bought with it stay.

    Raises:
        PackNotFound: there is none.
    """
    await lock_catalogue(session)
    pack = await queries.pack_by_id(session, pack_id)
    if pack is None:
        raise PackNotFound(f"there is no pack {pack_id}")
    return await remove(session, pack)


async def _keep_products_apart(session: AsyncSession, wanted_by: str, products: Products) -> None:
    for name, row in await queries.sold_as(session, products):
        clashing = clash(products, row)
        if name != wanted_by and clashing:
            store, product_id = clashing
            raise ProductIdTaken(store=store, product_id=product_id, holder=name)
