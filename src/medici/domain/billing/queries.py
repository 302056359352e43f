"""Reading entitlements, effective plans and allowances."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.allowance import ResetSchedule
from medici.domain.billing.models import EntitlementRow, ResetScheduleRow
from medici.domain.billing.rules import Entitlement
from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.ledger.models import Grant, GrantSource
from medici.domain.plans.defaults import FREE
from medici.domain.plans.models import Plan
from medici.kernel.db.padding import padded

PLANS_HELD = select(
    EntitlementRow.owner_id,
    EntitlementRow.plan_id,
    EntitlementRow.status,
    EntitlementRow.expires_at,
).where(
    EntitlementRow.owner_kind == bindparam("kind"),
    EntitlementRow.owner_id.in_(bindparam("owners", expanding=True)),
)
PLANS = select(
    Plan.plan_id, Plan.daily_credits, Plan.preview_cost_credits, Plan.final_cost_credits
).where(Plan.is_active)
ALLOWANCES = select(Grant.wallet_id, Grant.source_ref, Grant.amount).where(
    Grant.wallet_id.in_(bindparam("wallets", expanding=True)),
    Grant.source == GrantSource.PLAN_DAILY,
    Grant.source_ref >= bindparam("day"),
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
    """Return the plan that counts at ``now``; one that is gone or inactive gives way to free."""
    held = (await entitlement(session, owner=owner)).plan_at(now)
    rows = await session.scalars(select(Plan).where(Plan.plan_id.in_({held, FREE}), Plan.is_active))
    found = {plan.plan_id: plan for plan in rows}
    plan = found.get(held) or found.get(FREE)
    return EffectivePlan() if plan is None else _effective(plan)


async def effective_plans(
    session: AsyncSession, *, kind: OwnerKind, owner_ids: Collection[str], now: datetime
) -> dict[str, EffectivePlan]:
    """Return the plan that counts for each of many owners."""
    rows = await session.execute(PLANS_HELD, {"kind": kind, "owners": padded(owner_ids)})
    held = {
        row.owner_id: Entitlement(
            plan_id=row.plan_id, status=row.status, expires_at=row.expires_at
        ).plan_at(now)
        for row in rows
    }
    plans = {row.plan_id: EffectivePlan(**row) for row in (await session.execute(PLANS)).mappings()}
    free = plans.get(FREE, EffectivePlan())
    return {owner_id: plans.get(held.get(owner_id, FREE), free) for owner_id in owner_ids}


async def allowances_of_many(
    session: AsyncSession, *, wallet_ids: Collection[UUID], day: date
) -> dict[UUID, dict[str, int]]:
    """Return the same as ``allowances_since`` for each of many wallets."""
    given: dict[UUID, dict[str, int]] = {wallet_id: {} for wallet_id in wallet_ids}
    if not given:
        return given
    rows = await session.execute(
        ALLOWANCES, {"wallets": padded(wallet_ids), "day": day.isoformat()}
    )
    for row in rows:
        given[row.wallet_id][row.source_ref] = row.amount
    return given


async def reset_schedule(session: AsyncSession) -> ResetSchedule:
    """Return when allowances turn; midnight UTC unless an operator chose otherwise."""
    row = await session.get(ResetScheduleRow, 1)
    if row is None:
        return ResetSchedule()
    return ResetSchedule(enabled=row.enabled, hour=row.reset_hour_utc, minute=row.reset_minute_utc)


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
        details=row.details,
    )


def _effective(plan: Plan) -> EffectivePlan:
    return EffectivePlan(
        plan_id=plan.plan_id,
        daily_credits=plan.daily_credits,
        preview_cost_credits=plan.preview_cost_credits,
        final_cost_credits=plan.final_cost_credits,
    )
