"""Money that goes back: refunds and disputes, in proportion to what was paid."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from medici.adapters.payments.news import Buyer, Refund
from medici.adapters.payments.stripe.objects import Charge, Dispute, StripeRefund
from medici.adapters.payments.stripe.told import Told

UNRESOLVED = "unresolved refund"
UNRESOLVED_DISPUTE = "unresolved dispute"
INQUIRY = "an inquiry that takes no money"
UNDONE = frozenset({"failed", "canceled"})
WON, LOST = "won", "lost"
# While a dispute is open its money is gone, and so is what it paid for; access stays.
OPEN = frozenset({"needs_response", "under_review", "appeal_needs_response", "appeal_under_review"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidFor:
    """What was paid and is now refunded: our transaction, and the whole amount."""

    transaction_id: str
    total_minor: int


def told_by_charge(charge: Charge, *, at: datetime) -> Told:
    """Tell of a charge's refunds, where it brings them all and names its invoice itself."""
    listed = charge.refunds
    transaction_id = charge.invoice or charge.payment_intent
    if not listed or not listed.data or listed.has_more or transaction_id is None:
        return Told(remark=UNRESOLVED, complete=False)
    if charge.invoice is None and "invoice" not in charge.model_fields_set:
        return Told(remark=UNRESOLVED, complete=False)
    paid_for = PaidFor(transaction_id=transaction_id, total_minor=charge.amount)
    return Told(
        buyer=Buyer(customer_id=charge.customer),
        refunds=refunds_of(listed.data, paid_for, at=at),
    )


def refunds_of(
    refunds: Iterable[StripeRefund], paid_for: PaidFor, *, at: datetime
) -> tuple[Refund, ...]:
    """Tell of all refunds of one payment. Access ends when nothing of it is left."""
    known = tuple(refunds)
    gone = sum(each.amount for each in known if each.status not in UNDONE)
    return tuple(
        Refund(
            refund_id=each.id,
            transaction_id=paid_for.transaction_id,
            at=at,
            share=_share(each.amount, paid_for),
            amount_minor=each.amount,
            reversed=each.status in UNDONE,
            ends_access=gone >= paid_for.total_minor,
            reason=(each.reason or "refund")[:128],
        )
        for each in known
    )


def is_inquiry(dispute: Dispute) -> bool:
    return dispute.status not in {*OPEN, WON, LOST}


def dispute_of(dispute: Dispute, paid_for: PaidFor, *, at: datetime) -> Refund:
    """Tell of a dispute: its credits are gone while it runs, its access once it is lost."""
    return Refund(
        refund_id=dispute.id,
        transaction_id=paid_for.transaction_id,
        at=at,
        share=_share(dispute.amount, paid_for),
        amount_minor=dispute.amount,
        reversed=dispute.status == WON,
        ends_access=dispute.status == LOST,
        reason="dispute",
    )


def _share(amount: int, paid_for: PaidFor) -> Fraction:
    if paid_for.total_minor <= 0:
        return Fraction(1)
    return min(Fraction(max(amount, 0), paid_for.total_minor), Fraction(1))
