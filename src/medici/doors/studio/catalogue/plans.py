"""Plans, as operators see and change them."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.work import REDERIVE_PLAN
from medici.domain.plans import queries
from medici.domain.plans.errors import PlanNotFound
from medici.domain.plans.models import Plan
from medici.domain.plans.rules import Change
from medici.domain.plans.selling import save_plan, withdraw_plan
from medici.doors.http.auth import Operator
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.paging import Cursor, Limit
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.catalogue.acts import Act, OperatorAct
from medici.doors.studio.catalogue.schemas import Deleted, Identifier, PlanIn, PlanOut, same_id
from medici.doors.studio.listing import listed
from medici.jobs.queue import enqueue

router = APIRouter(prefix="/v1/admin/plans", tags=["catalogue"], route_class=IdempotentRoute)

PlanId = Annotated[Identifier, Path()]


@router.get("")
async def list_plans(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    is_active: bool | None = None,
    deleted: bool = False,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> list[PlanOut]:
    """List the plans of the catalogue, cheapest first; ``deleted=true`` lists those that left it.

    While there are more, the header ``X-Next-Cursor`` holds the next page's ``cursor``.
    """
    plans = await listed(
        session,
        queries.plans_in_order(active=is_active, deleted=deleted),
        Plan.monthly_price_cents,
        Plan.plan_id,
        cursor=cursor,
        limit=limit,
        response=response,
    )
    return [PlanOut.of(plan) for plan in plans]


@router.get("/{plan_id}")
async def one_plan(plan_id: PlanId, _operator: Operator, session: ReadSession) -> PlanOut:
    """Return a plan of the catalogue."""
    plan = await queries.plan_by_id(session, plan_id)
    if plan is None or plan.deleted_at is not None:
        raise PlanNotFound(f"there is no plan {plan_id}")
    return PlanOut.of(plan)


@router.put("/{plan_id}")
async def put_plan(plan_id: PlanId, body: PlanIn, act: OperatorAct, session: DbSession) -> PlanOut:
    """Make a plan or change it; one that was deleted comes back.

    409 ``product_id_taken`` where another plan or a pack is sold as one of its products. Where the
    price, a product or ``is_active`` changes, the customers of the plan are looked at anew.
    """
    change = await save_plan(
        session, plan_id=same_id(plan_id, body.plan_id), terms=body.terms(), now=act.now
    )
    await _note(session, act, "plan_saved", plan_id, change)
    return PlanOut.of(await session.get_one(Plan, plan_id))


@router.delete("/{plan_id}")
async def delete_plan(plan_id: PlanId, act: OperatorAct, session: DbSession) -> Deleted:
    """Take a plan out of the catalogue; who holds it keeps it until it ends.

    The plan ``free`` cannot go: 409 ``plan_required``.
    """
    change = await withdraw_plan(session, plan_id=plan_id, now=act.now)
    await _note(session, act, "plan_deleted", plan_id, change)
    return Deleted()


async def _note(session: AsyncSession, act: Act, action: str, plan_id: str, change: Change) -> None:
    """Write a change down, and have its customers looked at where it may matter to them."""
    await act.record(session, action, noun="plan", row_id=plan_id, change=change)
    if change.sells_differently:
        await enqueue(session, REDERIVE_PLAN, now=act.now, args={"plan_id": plan_id}, key=plan_id)
