"""Reading entitlements, effective plans and allowances."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.allowance import ResetSchedule
from medici.domain.billing.models import EntitlementRow, ResetScheduleRow
from medici.domain.billing.rules import Entitlement, Succession
from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.ledger.models import Grant, GrantSource
from medici.domain.plans.defaults import FREE
from medici.domain.plans.models import Plan
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver

PLANS_HELD = Query(
    select(
        EntitlementRow.owner_id,
        EntitlementRow.plan_id,
        EntitlementRow.status,
        EntitlementRow.expires_at,
        EntitlementRow.next_plan_id,
        EntitlementRow.next_ends_at,
    ).where(
        EntitlementRow.owner_kind == bindparam("kind"), any_of(EntitlementRow.owner_id, "owners")
    )
)
PLANS = Query(
    # Those who hold a plan that is not sold any more keep it.
    select(Plan.plan_id, Plan.daily_credits, Plan.preview_cost_credits, Plan.final_cost_credits)
)
ALLOWANCES = Query(
    select(Grant.wallet_id, Grant.source_ref, Grant.amount).where(
        any_of(Grant.wallet_id, "wallets"),
        Grant.source == GrantSource.PLAN_DAILY,
        Grant.source_ref >= bindparam("day"),
    )
)
SCHEDULE = Query(
    select(
        ResetScheduleRow.enabled,
        ResetScheduleRow.reset_hour_utc,
        ResetScheduleRow.reset_minute_utc,
        ResetScheduleRow.time_zone,
    ).where(ResetScheduleRow.id == 1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectivePlan:
    """What an owner's plan means now, in credits. The defaults hold where no plan is to be had."""

    plan_id: str = FREE
    daily_credits: int = 0
    preview_cost_credits: int = 1
    final_cost_credits: int = 2


async def entitlement(session: AsyncSession, *, owner: Owner) -> Entitlement:
    """Return what the owner holds; an unknown one holds the free plan, inactive."""
    row = await session.scalar(
        select(EntitlementRow)
        .where(EntitlementRow.owner_kind == owner.kind, EntitlementRow.owner_id == owner.id)
        .execution_options(populate_existing=True)
    )
    return Entitlement() if row is None else _entitlement(row)


async def effective_plan(session: AsyncSession, *, owner: Owner, now: datetime) -> EffectivePlan:
    """Return the plan that counts at ``now``, on sale or not; free where it is gone."""
    held = (await entitlement(session, owner=owner)).plan_at(now)
    rows = await session.scalars(select(Plan).where(Plan.plan_id.in_({held, FREE})))
    found = {plan.plan_id: plan for plan in rows}
    plan = found.get(held) or found.get(FREE)
    return EffectivePlan() if plan is None else _effective(plan)


async def effective_plans(
    driver: Driver, *, kind: OwnerKind, owner_ids: Collection[str], now: datetime
) -> dict[str, EffectivePlan]:
    """Return the plan that counts for each of many owners."""
    rows = await PLANS_HELD.rows(driver, kind=kind, owners=owner_ids)
    held = {
        row.owner_id: Entitlement(
            plan_id=row.plan_id,
            status=row.status,
            expires_at=row.expires_at,
            then=_then(row.next_plan_id, row.next_ends_at),
        ).plan_at(now)
        for row in rows
    }
    plans = {row.plan_id: EffectivePlan(**row._asdict()) for row in await PLANS.rows(driver)}
    free = plans.get(FREE, EffectivePlan())
    return {owner_id: plans.get(held.get(owner_id, FREE), free) for owner_id in owner_ids}


async def allowances_of_many(
    driver: Driver, *, wallet_ids: Collection[UUID], day: date
) -> dict[UUID, dict[str, int]]:
    """Return the same as ``allowances_since`` for each of many wallets."""
    given: dict[UUID, dict[str, int]] = {wallet_id: {} for wallet_id in wallet_ids}
    if not given:
        return given
    for row in await ALLOWANCES.rows(driver, wallets=wallet_ids, day=day.isoformat()):
        given[row.wallet_id][row.source_ref] = row.amount
    return given


async def reset_schedule(session: AsyncSession) -> ResetSchedule:
    """Return when allowances turn; midnight UTC unless an operator chose otherwise."""
    row = await session.get(ResetScheduleRow, 1)
    if row is None:
        return ResetSchedule()
    return ResetSchedule(
        enabled=row.enabled,
        hour=row.reset_hour_utc,
        minute=row.reset_minute_utc,
        time_zone=row.time_zone,
    )


async def schedule_now(driver: Driver) -> ResetSchedule:
    """Return the same on a driver."""
    for row in await SCHEDULE.rows(driver):
        return ResetSchedule(
            enabled=row.enabled,
            hour=row.reset_hour_utc,
            minute=row.reset_minute_utc,
            time_zone=row.time_zone,
        )
    return ResetSchedule()


async def allowances_since(session: AsyncSession, *, wallet_id: UUID, day: date) -> dict[str, int]:
    """Return the credits of every allowance of that date or a later one, by its reference."""
    rows = await session.execute(
        select(Grant.source_ref, Grant.amount).where(
            Grant.wallet_id == wallet_id,
            Grant.source == GrantSource.PLAN_DAILY,
            Grant.source_ref >= day.isoformat(),
        )
    )
    return {row.source_ref: row.amount for row in rows}


def _entitlement(row: EntitlementRow) -> Entitlement:
    return Entitlement(
        plan_id=row.plan_id,
        status=row.status,
        source=row.source,
        product_id=row.product_id,
        original_transaction_id=row.original_transaction_id,
        renews_at=row.renews_at,
        expires_at=row.expires_at,
        then=_then(row.next_plan_id, row.next_ends_at),
        details=row.details,
    )


def _then(plan_id: str | None, ends_at: datetime | None) -> Succession | None:
    return None if plan_id is None else Succession(plan_id=plan_id, ends_at=ends_at)


def _effective(plan: Plan) -> EffectivePlan:
    return EffectivePlan(
        plan_id=plan.plan_id,
        daily_credits=plan.daily_credits,
        preview_cost_credits=plan.preview_cost_credits,
        final_cost_credits=plan.final_cost_credits,
    )
