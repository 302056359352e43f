"""What an Apple transaction paid, and how much of it went back."""

from datetime import datetime
from fractions import Fraction

from medici.adapters.payments.apple.standing import Proven, amount_minor
from medici.adapters.payments.apple.verifying import moment
from medici.adapters.payments.currencies import half_up
from medici.adapters.payments.errors import MessageUnreadable
from medici.adapters.payments.news import Paid, Payment, Refund

WHOLE = 100_000  # 100 % in Apple's thousandths of a percent
PRORATED = "REFUND_PRORATED"
WHY_REFUNDED = {0: "other", 1: "issue_in_app"}


def payment_of(proven: Proven) -> Payment:
    """Return the payment that a transaction is; a quantity is in its price already."""
    transaction = proven.transaction
    return Payment(
        transaction_id=proven.transaction_id,
        product_id=proven.product_id,
        paid=_paid(proven),
        paid_at=_paid_at(proven),
        lineage_id=proven.lineage_id,
        ownership=proven.ownership,
        amount_minor=amount_minor(transaction.price, transaction.currency),
        currency=transaction.currency,
        quantity=max(1, transaction.quantity or 1),
        period_start=moment(transaction.purchaseDate) if proven.is_subscription else None,
        period_end=moment(transaction.expiresDate),
    )


def refund_of(proven: Proven) -> Refund:
    """Return what went back, in the share that Apple names. A transaction is refunded once."""
    share = _refunded_share(proven)
    reason = proven.transaction.rawRevocationReason
    return Refund(
        refund_id=proven.transaction_id,
        transaction_id=proven.transaction_id,
        at=moment(proven.transaction.revocationDate) or proven.at,
        share=share,
        amount_minor=_part(proven, share),
        reason=None if reason is None else WHY_REFUNDED.get(reason, f"reason_{reason}"),
    )


def reversal_of(proven: Proven) -> Refund:
    """Return that the refund of this transaction was undone."""
    return Refund(
        refund_id=proven.transaction_id,
        transaction_id=proven.transaction_id,
        at=proven.at,
        reversed=True,
        amount_minor=_part(proven, Fraction(1)),
        reason="reversed",
    )


def upgrade_refund_of(proven: Proven, *, at: datetime) -> Refund | None:
    """Return the unused rest of a period that ``at`` was given up for a better one.

    Access goes on with the better one; only what the rest was worth is given back.
    """
    start, end = moment(proven.transaction.purchaseDate), moment(proven.transaction.expiresDate)
    if start is None or end is None or not start <= at < end:
        return None
    share = Fraction(_milliseconds(at, end), _milliseconds(start, end))
    return Refund(
        refund_id=f"{proven.transaction_id}:upgrade",
        transaction_id=proven.transaction_id,
        at=at,
        share=share,
        amount_minor=_part(proven, share),
        ends_access=False,
        reason="upgraded",
    )


def _paid(proven: Proven) -> Paid:
    if not proven.is_subscription:
        return Paid.ONCE
    return Paid.TRIAL if proven.is_trial else Paid.PERIOD


def _paid_at(proven: Proven) -> datetime:
    paid_at = moment(proven.transaction.purchaseDate)
    if paid_at is None:
        raise MessageUnreadable("purchaseDate is missing")
    return paid_at


def _refunded_share(proven: Proven) -> Fraction:
    percentage = proven.transaction.revocationPercentage
    if proven.transaction.rawRevocationType != PRORATED or percentage is None:
        return Fraction(1)
    return min(Fraction(1), max(Fraction(0), Fraction(percentage, WHOLE)))


def _part(proven: Proven, share: Fraction) -> int | None:
    paid = amount_minor(proven.transaction.price, proven.transaction.currency)
    return None if paid is None else half_up(paid * share)


def _milliseconds(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds() * 1000)
