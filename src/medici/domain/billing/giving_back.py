"""Deciding whether a payment's money can be given back from here, and how much of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Source
from medici.domain.billing.models import StoreTransaction
from medici.kernel.errors import Kind, MediciError

ALL_THAT_IS_LEFT = "all"


class TransactionNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "transaction_not_found"


class RefundInTheStore(MediciError):
    """Only where it was paid can this money be given back; the store's message tells us of it."""

    kind = Kind.CONFLICT
    code = "refund_in_the_store"
    SENTENCES: ClassVar[Mapping[Source, str]] = {
        Source.IOS: "Apple alone refunds: the customer asks at https://reportaproblem.apple.com.",
        Source.ANDROID: "Refund the order in the Google Play Console, under order management.",
        Source.WEB: "Stripe does not know this payment: refund it where it was taken.",
        Source.MANUAL: "Nothing was paid for what an operator gave.",
    }

    def __init__(self, source: Source) -> None:
        super().__init__(self.SENTENCES[source])

    def details(self) -> Mapping[str, object]:
        return {"message": str(self)}


class NothingToRefund(MediciError):
    """Nothing was paid, or all of it has gone back."""

    kind = Kind.CONFLICT
    code = "nothing_to_refund"

    def __init__(self) -> None:
        super().__init__("nothing is left of the payment")


class RefundTooLarge(MediciError):
    kind = Kind.INVALID
    code = "refund_exceeds_payment"

    def __init__(self, *, left_minor: int) -> None:
        super().__init__(f"no more than {left_minor} is left of the payment")
        self.left_minor = left_minor

    def details(self) -> Mapping[str, object]:
        return {"left_minor": self.left_minor}


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyBack:
    """What to give back of a payment; without an amount all that is left of it.

    ``transaction_id`` is the store's name of the payment. By its ``key`` the store does it once.
    """

    transaction_id: str
    currency: str | None
    amount_minor: int | None
    key: str


async def money_back(
    session: AsyncSession,
    row_id: UUID,
    *,
    amount_minor: int | None,
    request_key: str | None = None,
) -> MoneyBack:
    """Return what to give back of a payment that was made on the web.

    Who asks with a ``request_key`` means one act by it, however often they ask, and gets the first
    answer again. Without one the same amount of the same payment is the same act.

    Raises:
        TransactionNotFound: there is no such payment.
        RefundInTheStore: another store took the money.
        NothingToRefund: nothing is left of it.
        RefundTooLarge: less is left than ``amount_minor``.
    """
    paid = await session.get(StoreTransaction, row_id)
    if paid is None:
        raise TransactionNotFound(f"no payment {row_id}")
    if paid.source is not Source.WEB:
        raise RefundInTheStore(paid.source)
    # Asked again, what this very act has given back before must not stand in its way.
    _check(paid, amount_minor, gone=0 if request_key else paid.refunded_minor)
    return MoneyBack(
        transaction_id=paid.transaction_id,
        currency=paid.currency,
        amount_minor=amount_minor,
        key=_key(row_id, amount_minor, request_key),
    )


def _check(paid: StoreTransaction, amount_minor: int | None, *, gone: int) -> None:
    """Refuse what our books rule out; they do not know the amount of what a relay told of."""
    if paid.amount_minor is None:
        return
    left = paid.amount_minor - gone
    if left <= 0:
        raise NothingToRefund
    if amount_minor is not None and amount_minor > left:
        raise RefundTooLarge(left_minor=left)


def _key(row_id: UUID, amount_minor: int | None, request_key: str | None) -> str:
    if request_key is None:
        return f"refund:{row_id}:{amount_minor or ALL_THAT_IS_LEFT}"
    return f"refund:{row_id}:asked:{hashlib.sha256(request_key.encode()).hexdigest()[:32]}"
