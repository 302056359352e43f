"""Profiles: a user's credits, what they hold, and what that means."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing import queries
from medici.domain.billing.allowance import ResetSchedule
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.billing.service.features import features
from medici.domain.identity.owner import Owner
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.views import balance as balance_of
from medici.domain.plans.errors import PlanNotFound
from medici.domain.plans.models import Plan
from medici.domain.plans.queries import plan_by_id
from medici.doors.http.auth import CurrentUser, OwnerOrOperator
from medici.doors.http.context import AppResources, Now
from medici.doors.http.sessions import DbSession
from medici.doors.studio.auth import UserId
from medici.doors.studio.catalogue.schemas import PlanOut
from medici.doors.studio.selling.schemas import EntitlementOut

router = APIRouter(prefix="/v1/profile/overview", tags=["profile"])


class ProfileCreditsOut(BaseModel):
    """What can be spent now."""

    user_id: str
    balance: int


class ProfileOut(BaseModel):
    """``effective_plan`` is what counts now, and free where ``entitlement`` gives no access.

    ``features`` are that plan's; where the variable ``entitlement_features_union`` is on, of every
    plan that the user pays for.
    """

    user_id: str
    credits: ProfileCreditsOut
    entitlement: EntitlementOut
    effective_plan: PlanOut
    features: list[str]
    next_credit_reset_at: datetime | None


@router.get("/me")
async def own_profile(
    user: CurrentUser, session: DbSession, resources: AppResources, now: Now
) -> ProfileOut:
    """Show one's own credits and plan; the day's first look brings the day's allowance."""
    return await profile_of(session, user.id, policy=StorePolicy.of(resources.settings), now=now)


@router.get("/{user_id}")
async def profile(
    user_id: UserId,
    caller: OwnerOrOperator,
    session: DbSession,
    resources: AppResources,
    now: Now,
) -> ProfileOut:
    """Show a user's credits and plan; for the user and for operators."""
    policy = StorePolicy.of(resources.settings)
    return await profile_of(session, caller.acts_for(user_id), policy=policy, now=now)


async def profile_of(
    session: AsyncSession, user_id: str, *, policy: StorePolicy, now: datetime
) -> ProfileOut:
    """Put a profile together, after today's credits have been given."""
    owner = Owner.user(user_id)
    await ensure_allowance(session, owner=owner, now=now)
    wallet_id = await open_wallet(session, owner=owner, now=now)
    balance = await balance_of(session, wallet_id=wallet_id, now=now)
    held = (await queries.entitlement(session, owner=owner)).at(now)
    return ProfileOut(
        user_id=user_id,
        credits=ProfileCreditsOut(user_id=user_id, balance=balance.available),
        entitlement=EntitlementOut.of(user_id, held),
        effective_plan=PlanOut.of(await _plan_that_counts(session, owner, now)),
        features=await features(session, user_id=user_id, policy=policy, now=now),
        next_credit_reset_at=_next_reset(await queries.reset_schedule(session), now),
    )


async def _plan_that_counts(session: AsyncSession, owner: Owner, now: datetime) -> Plan:
    effective = await queries.effective_plan(session, owner=owner, now=now)
    plan = await plan_by_id(session, effective.plan_id)
    if plan is None:
        raise PlanNotFound(f"there is no plan {effective.plan_id}")
    return plan


def _next_reset(schedule: ResetSchedule, now: datetime) -> datetime | None:
    """Return when the next allowance comes; None while allowances are switched off."""
    if not schedule.enabled:
        return None
    return schedule.window(now).ends_at
