"""What users hold, what they could buy, and what stores know them by."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from medici.domain.billing.account_tokens import account_token
from medici.domain.billing.queries import entitlement
from medici.domain.billing.service.entitlements import set_entitlement
from medici.domain.identity.owner import Owner
from medici.domain.identity.service import ensure_user, record_audit
from medici.domain.plans.queries import active_plans
from medici.doors.http.auth import CurrentUser, Operator, OwnerOrOperator
from medici.doors.http.context import Now, RequestId
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.auth import UserId
from medici.doors.studio.catalogue.schemas import PlanOut
from medici.doors.studio.selling.schemas import EntitlementIn, EntitlementOut

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"], route_class=IdempotentRoute)


class AccountTokenOut(BaseModel):
    """The id to hand to the App Store (``appAccountToken``) and to Google Play
    (``obfuscatedAccountId``) with each purchase, so that it is known to be this user's.
    """

    app_account_token: UUID


@router.get("/catalog")
async def catalog(session: ReadSession) -> list[PlanOut]:
    """List the plans on sale, cheapest first."""
    return [PlanOut.of(plan) for plan in await active_plans(session)]


@router.get("/account-token")
async def own_account_token(user: CurrentUser, session: DbSession) -> AccountTokenOut:
    """Return the id by which stores shall know this user; it never changes."""
    return AccountTokenOut(app_account_token=await account_token(session, user_id=user.id))


@router.get("/entitlements/{user_id}")
async def held(
    user_id: UserId, caller: OwnerOrOperator, session: ReadSession, now: Now
) -> EntitlementOut:
    """Tell what a user holds, and which of their purchases says so."""
    found = await entitlement(session, owner=Owner.user(caller.acts_for(user_id)))
    return EntitlementOut.of(user_id, found.at(now))


@router.put("/entitlements/{user_id}")
async def give(
    user_id: UserId,
    body: EntitlementIn,
    operator: Operator,
    session: DbSession,
    now: Now,
    request_id: RequestId,
) -> EntitlementOut:
    """Give a plan by hand. Operators only.

    It stands beside what the user bought: a paid plan of a higher price still counts. To end paid
    access, or to put a plan above every purchase, set an override.
    """
    owner = Owner.user(user_id)
    await ensure_user(session, user_id=user_id, now=now)
    before = await entitlement(session, owner=owner)
    await set_entitlement(session, owner=owner, entitlement=body.entitlement(), now=now)
    after = EntitlementOut.of(user_id, await entitlement(session, owner=owner))
    await record_audit(
        session,
        action="entitlement_set",
        operator=operator,
        target=("user", user_id),
        request_id=request_id,
        before=EntitlementOut.of(user_id, before).model_dump(mode="json"),
        after=after.model_dump(mode="json"),
        now=now,
    )
    return after
