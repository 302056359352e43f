"""Purchases and payments: a user's own, and every one for operators."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from medici.adapters.payments.news import AuthMode, Ownership, Paid, PurchaseState, Source
from medici.domain.billing import purchases as reads
from medici.domain.billing.models import Purchase, PurchaseEvent, StoreTransaction
from medici.doors.http.auth import CurrentUser, Operator
from medici.doors.http.paging import Cursor, Limit, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.auth import UserId
from medici.doors.studio.listing import NEXT_CURSOR, id_in
from medici.doors.studio.selling.schemas import PlanId, StoreId
from medici.kernel.environment import Environment

router = APIRouter(tags=["subscriptions"])


class PurchaseOut(BaseModel):
    """One purchase over all its renewals. ``plan_id`` null: its product is none of ours."""

    id: UUID
    user_id: str | None
    source: Source
    environment: Environment
    original_transaction_id: str
    product_id: str
    plan_id: str | None
    pending_plan_id: str | None
    state: PurchaseState
    ownership: Ownership
    started_at: datetime
    period_start: datetime | None
    expires_at: datetime | None
    grace_expires_at: datetime | None
    renews_at: datetime | None
    resumes_at: datetime | None
    lifetime: bool
    will_renew: bool
    override: bool
    revoked_at: datetime | None
    cancel_reason: str | None
    updated_at: datetime

    @classmethod
    def of(cls, row: Purchase) -> "PurchaseOut":
        same = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls(**same, original_transaction_id=row.lineage_id)


class ToldOut(BaseModel):
    """How a purchase stood by one message."""

    event_id: str
    event_time: datetime
    auth_mode: AuthMode
    standing: dict[str, object]

    @classmethod
    def of(cls, row: PurchaseEvent) -> "ToldOut":
        return cls(
            event_id=row.event_id,
            event_time=row.event_time,
            auth_mode=row.auth_mode,
            standing=row.standing,
        )


class StoreTransactionOut(BaseModel):
    """One paid period, trial or pack. Amounts are in the currency's smallest unit."""

    id: UUID
    user_id: str | None
    source: Source
    environment: Environment
    transaction_id: str
    original_transaction_id: str | None
    product_id: str
    plan_id: str | None
    pack_id: str | None
    paid: Paid
    quantity: int
    amount_minor: int | None
    currency: str | None
    refunded_minor: int
    paid_at: datetime
    period_start: datetime | None
    period_end: datetime | None
    credits: int
    revoked_credits: int
    unrecovered_credits: int

    @classmethod
    def of(cls, row: StoreTransaction) -> "StoreTransactionOut":
        same = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls(**same, original_transaction_id=row.lineage_id)


class PurchaseInFullOut(BaseModel):
    """A purchase with its payments, newest first, and with everything that was told about it."""

    purchase: PurchaseOut
    transactions: list[StoreTransactionOut]
    told: list[ToldOut]


@router.get("/v1/subscriptions/purchases/me")
async def own_purchases(
    user: CurrentUser,
    session: ReadSession,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> list[PurchaseOut]:
    """List one's own purchases, newest first."""
    return await _listed(session, response, reads.Wanted(user_id=user.id), cursor, limit)


@router.get("/v1/subscriptions/transactions/me")
async def own_transactions(
    user: CurrentUser,
    session: ReadSession,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> list[StoreTransactionOut]:
    """List what one has paid for, newest first."""
    return await _paid(session, response, user.id, cursor, limit)


@router.get("/v1/admin/subscriptions/purchases")
async def list_purchases(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    user_id: UserId | None = None,
    source: Source | None = None,
    environment: Environment | None = None,
    state: PurchaseState | None = None,
    plan_id: PlanId | None = None,
    original_transaction_id: StoreId | None = None,
    unclaimed: bool = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> list[PurchaseOut]:
    """List purchases, newest first; ``unclaimed`` keeps those that are nobody's yet."""
    wanted = reads.Wanted(
        user_id=user_id,
        source=source,
        environment=environment,
        state=state,
        plan_id=plan_id,
        lineage_id=original_transaction_id,
        unclaimed=unclaimed,
    )
    return await _listed(session, response, wanted, cursor, limit)


@router.get("/v1/admin/subscriptions/purchases/{purchase_id}")
async def purchase_in_full(
    purchase_id: UUID, _operator: Operator, session: ReadSession
) -> PurchaseInFullOut:
    """Show one purchase with its payments and all that was ever told about it."""
    found = await reads.purchase(session, purchase_id)
    paid = await reads.transactions(session, of=found, limit=200)
    told = await reads.events_of(session, found)
    return PurchaseInFullOut(
        purchase=PurchaseOut.of(found),
        transactions=[StoreTransactionOut.of(row) for row in paid],
        told=[ToldOut.of(row) for row in told],
    )


@router.get("/v1/admin/subscriptions/transactions")
async def list_transactions(
    _operator: Operator,
    session: ReadSession,
    response: Response,
    user_id: UserId | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> list[StoreTransactionOut]:
    """List payments, newest first."""
    return await _paid(session, response, user_id, cursor, limit)


async def _listed(
    session: ReadSession,
    response: Response,
    wanted: reads.Wanted,
    cursor: str | None,
    limit: int,
) -> list[PurchaseOut]:
    rows = await reads.purchases(session, wanted, limit=limit + 1, before=id_in(cursor))
    _name_next(response, [row.id for row in rows], limit)
    return [PurchaseOut.of(row) for row in rows[:limit]]


async def _paid(
    session: ReadSession,
    response: Response,
    user_id: str | None,
    cursor: str | None,
    limit: int,
) -> list[StoreTransactionOut]:
    rows = await reads.transactions(session, user_id=user_id, limit=limit + 1, before=id_in(cursor))
    _name_next(response, [row.id for row in rows], limit)
    return [StoreTransactionOut.of(row) for row in rows[:limit]]


def _name_next(response: Response, ids: list[UUID], limit: int) -> None:
    if len(ids) > limit:
        response.headers[NEXT_CURSOR] = encode_cursor(str(ids[limit - 1]))
