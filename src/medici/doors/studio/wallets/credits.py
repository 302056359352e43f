"""A user's credits: how many there are, spending some, and giving some by hand."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.events import service as events
from medici.domain.events.facts import EventName, Fact
from medici.domain.identity.owner import Owner
from medici.domain.identity.service import record_audit
from medici.domain.ledger.errors import InsufficientCredits
from medici.domain.ledger.models import GrantSource
from medici.domain.ledger.service.consume import consume
from medici.domain.ledger.service.grants import issue_grant
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.values import Balance, GrantTerms, Memo
from medici.domain.ledger.views import balance as balance_of
from medici.doors.http.auth import CurrentUser, Operator, OwnerOrOperator, own_scope
from medici.doors.http.context import Now, RequestId
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.sessions import DbSession
from medici.doors.studio.auth import UserId
from medici.kernel.errors import Kind
from medici.kernel.ids import new_id
from medici.kernel.incoming import Metadata

MOST_CREDITS = 1_000_000_000

router = APIRouter(prefix="/v1/credits", tags=["credits"], route_class=IdempotentRoute)

Reason = Annotated[str, StringConstraints(min_length=1, max_length=200)]
BodyKey = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class CreditsRefused(InsufficientCredits):
    """The same refusal with the status that clients of these routes know."""

    kind = Kind.INVALID


class GrantOut(BaseModel):
    """What is left of one grant."""

    source: str
    amount: int
    free: int
    held: int
    expires_at: datetime | None


class ExpiryOut(BaseModel):
    amount: int
    at: datetime


class BalanceOut(BaseModel):
    """``balance`` can be spent now; ``held`` is reserved for renders in progress."""

    user_id: str
    balance: int
    held: int
    next_expiry: ExpiryOut | None
    grants: list[GrantOut]

    @classmethod
    def of(cls, user_id: str, balance: Balance) -> "BalanceOut":
        expiring = balance.next_expiry
        return cls(
            user_id=user_id,
            balance=balance.available,
            held=balance.held,
            next_expiry=ExpiryOut(amount=expiring.amount, at=expiring.at) if expiring else None,
            grants=[
                GrantOut(
                    source=grant.source,
                    amount=grant.amount,
                    free=grant.free,
                    held=grant.held,
                    expires_at=grant.expires_at,
                )
                for grant in balance.grants
            ],
        )


class MovementIn(BaseModel):
    """Credits to spend or to give. The same ``idempotency_key`` takes effect once."""

    model_config = ConfigDict(allow_inf_nan=False)

    user_id: UserId
    amount: int = Field(ge=1, le=MOST_CREDITS)
    reason: Reason
    idempotency_key: BodyKey | None = None
    metadata: Metadata = Field(default_factory=dict)


class MovementOut(BaseModel):
    """``applied`` is false where the key had been used for the same before."""

    user_id: str
    balance: int
    applied: bool


@router.get("/balance/{user_id}")
async def balance(
    user_id: UserId, caller: OwnerOrOperator, session: DbSession, now: Now
) -> BalanceOut:
    """Return what a user can spend; the day's first look brings the day's allowance."""
    owner = Owner.user(caller.acts_for(user_id))
    await ensure_allowance(session, owner=owner, now=now)
    wallet_id = await open_wallet(session, owner=owner, now=now)
    return BalanceOut.of(user_id, await balance_of(session, wallet_id=wallet_id, now=now))


@router.post("/consume")
async def consume_credits(
    body: MovementIn, user: CurrentUser, session: DbSession, now: Now
) -> MovementOut:
    """Spend credits of one's own; 400 ``insufficient_credits`` where they do not suffice."""
    owner = Owner.user(own_scope(user, body.user_id))
    await ensure_allowance(session, owner=owner, now=now)
    wallet_id = await open_wallet(session, owner=owner, now=now)
    try:
        spent = await consume(
            session,
            wallet_id=wallet_id,
            amount=body.amount,
            memo=Memo(actor=f"user:{user.id}", reason=body.reason),
            key=body.idempotency_key,
            now=now,
        )
    except InsufficientCredits as missing:
        raise CreditsRefused(available=missing.available, needed=missing.needed) from missing
    if spent.applied:
        await _record(session, EventName.CREDITS_CONSUMED, body, now)
    return MovementOut(user_id=user.id, balance=spent.available, applied=spent.applied)


@router.post("/grant")
async def grant_credits(
    body: MovementIn, operator: Operator, session: DbSession, now: Now, request_id: RequestId
) -> MovementOut:
    """Give credits to a user. Operators only; the act is audited."""
    wallet_id = await open_wallet(session, owner=Owner.user(body.user_id), now=now)
    key = body.idempotency_key or str(new_id())
    given = await issue_grant(
        session,
        wallet_id=wallet_id,
        terms=GrantTerms(source=GrantSource.ADMIN, source_ref=key, amount=body.amount),
        memo=Memo(actor=operator.actor, reason=body.reason),
        now=now,
    )
    if given.applied:
        await _record(session, EventName.CREDITS_GRANTED, body, now)
        await record_audit(
            session,
            action="credits_granted",
            operator=operator,
            reason=body.reason,
            target=("user", body.user_id),
            request_id=request_id,
            after={"amount": body.amount, "metadata": body.metadata},
            now=now,
        )
    return MovementOut(user_id=body.user_id, balance=given.available, applied=given.applied)


async def _record(session: AsyncSession, name: EventName, body: MovementIn, now: datetime) -> None:
    fact = Fact(
        name=name,
        user_id=body.user_id,
        credits=body.amount,
        properties={"reason": body.reason, "metadata": body.metadata},
    )
    await events.record(session, fact, now=now)
