"""Giving money back: an operator's word, carried out by Stripe."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.errors import PurchaseUnknown
from medici.adapters.payments.news import Source
from medici.adapters.payments.stripe.checkout import StripeCheckout
from medici.adapters.payments.stripe.errors import StripeRefused
from medici.adapters.payments.stripe.objects import StripeRefund
from medici.domain.billing.giving_back import (
    MoneyBack,
    NothingToRefund,
    RefundInTheStore,
    money_back,
)
from medici.domain.identity.principal import Operator as OperatorAuthority
from medici.domain.identity.service import record_audit
from medici.doors.http.auth import Operator
from medici.doors.http.context import AppResources, Now, RequestId
from medici.doors.http.headers import IDEMPOTENCY_KEY
from medici.doors.http.idempotency import MAX_KEY_LENGTH
from medici.doors.http.idempotency_store import KeyReused
from medici.doors.studio.selling.holdings import Reason
from medici.doors.studio.selling.work import complete_refund
from medici.kernel.errors import Kind, MediciError
from medici.resources import Resources

router = APIRouter(prefix="/v1/admin/subscriptions/transactions", tags=["subscriptions"])

MOST_MINOR = 99_999_999  # what Stripe takes at most at a time

RequestKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY_LENGTH, pattern=r"^[ -~]+$")]
    | None,
    Header(alias=IDEMPOTENCY_KEY),
]


class StripeNotConfigured(MediciError):
    kind = Kind.CONFLICT
    code = "stripe_not_configured"

    def __init__(self) -> None:
        super().__init__("STRIPE_SECRET_KEY is not set")


class RefundRefused(MediciError):
    """Stripe does not give it back; ``reason`` is its own code."""

    kind = Kind.CONFLICT
    code = "refund_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Stripe refuses the refund: {reason}")
        self.reason = reason

    def details(self) -> Mapping[str, object]:
        return {"reason": self.reason}


class RefundIn(BaseModel):
    """What goes back, in the currency's smallest unit; without an amount all that is left."""

    amount_minor: int | None = Field(None, ge=1, le=MOST_MINOR)
    reason: Reason = Field(description="Why; it is kept in the audit.")


class RefundOut(BaseModel):
    """What Stripe gave back. ``status`` is Stripe's word; ``pending`` money is on its way."""

    transaction_id: UUID
    refund_id: str
    amount_minor: int
    currency: str | None
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What an operator wants, for the audit: once before the money moves, once after."""

    transaction_id: UUID
    wanted: RefundIn
    operator: OperatorAuthority
    request_id: str | None
    now: datetime

    async def record(
        self, session: AsyncSession, action: str, given: StripeRefund | None = None
    ) -> None:
        amount = given.amount if given else self.wanted.amount_minor
        refund_id = {"refund_id": given.id, "status": given.status} if given else {}
        await record_audit(
            session,
            action=action,
            operator=self.operator,
            reason=self.wanted.reason,
            target=("store_transaction", str(self.transaction_id)),
            after={"amount_minor": amount, **refund_id},
            request_id=self.request_id,
            now=self.now,
        )


@router.post("/{transaction_id}/refund")
async def give_back(
    transaction_id: UUID,
    body: RefundIn,
    operator: Operator,
    resources: AppResources,
    now: Now,
    request_id: RequestId,
    key: RequestKey = None,
) -> RefundOut:
    """Give back what was paid on the web, all that is left or a part. Operators only; audited.

    Stripe is asked at once what has gone back; then the payment's credits are taken back in
    proportion, and access ends when nothing of the money is left.

    Asking twice gives back once: for a day the same amount of the same payment is the same refund.
    To give the same amount again on purpose, send an ``Idempotency-Key`` of its own.
    """
    wish = _Wish(
        transaction_id=transaction_id,
        wanted=body,
        operator=operator,
        request_id=request_id,
        now=now,
    )
    async with resources.database.transaction() as session:
        wanted = await money_back(
            session, transaction_id, amount_minor=body.amount_minor, request_key=key
        )
        stripe = _stripe(resources)
        await wish.record(session, "refund_requested")

    given = await _given_back(stripe, wanted)

    async with resources.database.transaction() as session:
        await complete_refund(session, given, now=now)
        await wish.record(session, "refund_given", given)
    return RefundOut(
        transaction_id=transaction_id,
        refund_id=given.id,
        amount_minor=given.amount,
        currency=wanted.currency,
        status=given.status,
    )


def _stripe(resources: Resources) -> StripeCheckout:
    if resources.receivers.checkout is None:
        raise StripeNotConfigured
    return resources.receivers.checkout


async def _given_back(stripe: StripeCheckout, wanted: MoneyBack) -> StripeRefund:
    try:
        return await stripe.refund(
            wanted.transaction_id, amount_minor=wanted.amount_minor, key=wanted.key
        )
    except PurchaseUnknown as unpaid:
        raise NothingToRefund from unpaid
    except StripeRefused as refused:
        raise _meaning(refused) from refused


def _meaning(refused: StripeRefused) -> MediciError:
    """Tell an operator's mistake from a key of ours that Stripe does not take."""
    if refused.status in {401, 403}:
        return refused
    if refused.is_missing:
        return RefundInTheStore(Source.WEB)
    match refused.reason:
        case "charge_already_refunded":
            return NothingToRefund()
        case "idempotency_error":
            return KeyReused()
    return RefundRefused(refused.reason)
