"""What users hold, for operators: the list, why somebody has a plan, and overrides."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from medici.adapters.payments.news import PurchaseState, Source
from medici.domain.billing.derive import Because, Derived, Held, access
from medici.domain.billing.models import EntitlementChange, EntitlementStatus
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.purchases import changes, entitlements
from medici.domain.billing.queries import entitlement
from medici.domain.billing.service.deriving import derived
from medici.domain.billing.service.features import features
from medici.domain.billing.service.overrides import override, remove_override
from medici.domain.identity.owner import Owner
from medici.domain.identity.service import ensure_user, record_audit
from medici.doors.http.auth import Operator, OwnerOrOperator
from medici.doors.http.context import AppResources, Now, RequestId
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.paging import Cursor, InvalidCursor, Limit, decode_cursor, encode_cursor
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.auth import UserId
from medici.doors.studio.listing import NEXT_CURSOR, id_in
from medici.doors.studio.selling.schemas import EntitlementOut, PlanId, held_in
from medici.kernel.incoming import Moment

router = APIRouter(tags=["subscriptions"], route_class=IdempotentRoute)

Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class CandidateOut(BaseModel):
    """One purchase, whether it gives access now, and what kept it from counting."""

    purchase_id: UUID
    source: Source
    environment: str
    plan_id: str | None
    product_id: str
    state: PurchaseState
    expires_at: datetime | None
    will_renew: bool
    has_access: bool
    because: Because | None

    @classmethod
    def of(
        cls, one: Held, because: Because | None, found: Derived, now: datetime
    ) -> "CandidateOut":
        return cls(
            purchase_id=one.id,
            source=one.source,
            environment=one.environment,
            plan_id=one.plan_id,
            product_id=one.product_id,
            state=one.state,
            expires_at=one.expires_at,
            will_renew=one.will_renew,
            has_access=access(one, now, leeway=found.leeway),
            because=because,
        )


class WhyOut(BaseModel):
    """Why a user has the plan that they have.

    ``winner`` is the purchase that counts. Each of the ``others`` says what decided against it:
    ``override``, ``plan_price``, ``later_end`` and so on in the order in which purchases are
    compared, or ``no_access``, ``plan_unknown``, ``sandbox_not_admitted``. ``features`` are those
    of the plan in effect; where the variable ``entitlement_features_union`` is on, of every
    purchase that gives access.
    """

    user_id: str
    entitlement: EntitlementOut
    winner: CandidateOut | None
    others: list[CandidateOut]
    features: list[str]


class EntitlementChangeOut(BaseModel):
    """One change of what a user holds. ``cause_id`` names the message or the act behind it."""

    id: UUID
    at: datetime
    cause: str
    cause_id: str | None
    before: dict[str, object]
    after: dict[str, object]

    @classmethod
    def of(cls, change: EntitlementChange) -> "EntitlementChangeOut":
        return cls(
            id=change.id,
            at=change.at,
            cause=change.cause,
            cause_id=change.cause_id,
            before=change.before,
            after=change.after,
        )


class OverrideIn(BaseModel):
    """A plan that counts above every purchase until ``expires_at``; ``free`` takes access away."""

    plan_id: PlanId
    expires_at: Moment
    reason: Reason = Field(description="Why; it is kept in the audit.")


@router.get("/v1/admin/subscriptions/entitlements")
async def list_entitlements(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    now: Now,
    status: EntitlementStatus | None = None,
    source: Source | None = None,
    plan_id: PlanId | None = None,
    updated_since: Moment | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> list[EntitlementOut]:
    """List what users hold, by user id; ``X-Next-Cursor`` leads to the next page."""
    rows = await entitlements(
        session,
        status=status,
        source=source,
        plan_id=plan_id,
        updated_since=updated_since,
        limit=limit + 1,
        after=_user_in(cursor),
    )
    if len(rows) > limit:
        response.headers[NEXT_CURSOR] = encode_cursor(rows[limit - 1].owner_id)
    return [EntitlementOut.of(row.owner_id, held_in(row).at(now)) for row in rows[:limit]]


@router.get("/v1/subscriptions/entitlements/{user_id}/why")
async def why(
    user_id: UserId,
    caller: OwnerOrOperator,
    session: ReadSession,
    resources: AppResources,
    now: Now,
) -> WhyOut:
    """Tell why a user has this plan: every purchase, and what decided between them."""
    owner = Owner.user(caller.acts_for(user_id))
    policy = StorePolicy.of(resources.settings)
    found = await derived(session, user_id=user_id, policy=policy, now=now)
    return WhyOut(
        user_id=user_id,
        entitlement=EntitlementOut.of(user_id, (await entitlement(session, owner=owner)).at(now)),
        winner=CandidateOut.of(found.winner, None, found, now) if found.winner else None,
        others=[CandidateOut.of(one.purchase, one.because, found, now) for one in found.beaten],
        features=await features(session, user_id=user_id, policy=policy, now=now),
    )


@router.get("/v1/subscriptions/entitlements/{user_id}/history")
async def history(
    user_id: UserId,
    caller: OwnerOrOperator,
    session: ReadSession,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> list[EntitlementChangeOut]:
    """List how what a user holds has changed, newest first."""
    owner = Owner.user(caller.acts_for(user_id))
    rows = await changes(session, owner=owner, limit=limit + 1, before=id_in(cursor))
    if len(rows) > limit:
        response.headers[NEXT_CURSOR] = encode_cursor(str(rows[limit - 1].id))
    return [EntitlementChangeOut.of(row) for row in rows[:limit]]


@router.put("/v1/admin/subscriptions/overrides/{user_id}")
async def set_override(
    user_id: UserId,
    body: OverrideIn,
    operator: Operator,
    session: DbSession,
    resources: AppResources,
    now: Now,
    request_id: RequestId,
) -> EntitlementOut:
    """Put a plan above everything that a user has bought, until a day; the act is audited."""
    await ensure_user(session, user_id=user_id, now=now)
    await override(
        session,
        user_id=user_id,
        plan_id=body.plan_id,
        until=body.expires_at,
        reason=body.reason,
        policy=StorePolicy.of(resources.settings),
        now=now,
    )
    await record_audit(
        session,
        action="entitlement_overridden",
        operator=operator,
        reason=body.reason,
        target=("user", user_id),
        after={"plan_id": body.plan_id, "expires_at": body.expires_at.isoformat()},
        request_id=request_id,
        now=now,
    )
    return EntitlementOut.of(user_id, await entitlement(session, owner=Owner.user(user_id)))


@router.delete("/v1/admin/subscriptions/overrides/{user_id}")
async def end_override(
    user_id: UserId,
    operator: Operator,
    session: DbSession,
    resources: AppResources,
    now: Now,
    request_id: RequestId,
    reason: Annotated[Reason, Query()] = "removed",
) -> EntitlementOut:
    """Let a user's own purchases count again; 404 ``override_not_found`` where none lasts."""
    policy = StorePolicy.of(resources.settings)
    await remove_override(session, user_id=user_id, reason=reason, policy=policy, now=now)
    await record_audit(
        session,
        action="entitlement_override_removed",
        operator=operator,
        reason=reason,
        target=("user", user_id),
        request_id=request_id,
        now=now,
    )
    return EntitlementOut.of(user_id, await entitlement(session, owner=Owner.user(user_id)))


def _user_in(cursor: str | None) -> str | None:
    """Return the user that a page begins after; None for the first page."""
    if cursor is None:
        return None
    (last,) = decode_cursor(cursor, str)
    if not str(last).isprintable():
        raise InvalidCursor
    return str(last)
