"""How many credits a payment brings, and how many of them a refund takes back. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from medici.adapters.payments.news import Ownership, Paid
from medici.domain.billing.models import StoreRefund, StoreTransaction
from medici.domain.plans.models import Pack, Plan

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """What the refunds of one payment come to."""

    share_ppm: int
    minor: int
    ends_access: bool


def parts_per_million(share: Fraction) -> int:
    """Return a share as stored. Rounded down, so that a whole number of credits stays one."""
    return min(max(int(share * MILLION), 0), MILLION)


def part_of(credits: int, share_ppm: int) -> int:
    """Return a share of credits, rounded up."""
    return -(-credits * share_ppm // MILLION)


def credits_brought(paid: StoreTransaction, ware: Plan | Pack) -> int:
    """Return the credits that a payment brings. What a relative bought brings none."""
    if paid.ownership is Ownership.FAMILY:
        return 0
    if isinstance(ware, Pack):
        return ware.credits * max(paid.quantity, 1)
    full = ware.trial_credits if paid.paid is Paid.TRIAL else ware.period_credits
    return part_of(full, paid.share_ppm)


def refunded(refunds: Iterable[StoreRefund], paid: StoreTransaction) -> Refunded:
    """Add up what went back for a payment and did not come again."""
    gone = [refund for refund in refunds if not refund.reversed]
    share = min(sum(refund.share_ppm for refund in gone), MILLION)
    minor = sum(
        part_of(paid.amount_minor or 0, refund.share_ppm)
        if refund.amount_minor is None
        else refund.amount_minor
        for refund in gone
    )
    return Refunded(
        share_ppm=share, minor=minor, ends_access=any(refund.ends_access for refund in gone)
    )


def superseded_ppm(paid: StoreTransaction, lineage: Sequence[StoreTransaction]) -> int:
    """Return how much of a paid period was left when another product took its place.

    Only a full new period takes the place of an old one; a change that is itself prorated is not
    prorated again.
    """
    start, end = paid.period_start or paid.paid_at, paid.period_end
    if paid.paid is not Paid.PERIOD or end is None or end <= start:
        return 0
    later = [one.period_start or one.paid_at for one in lineage if _replaces(one, paid)]
    changed_at = min(later, default=end)
    return parts_per_million(Fraction(max(_seconds(changed_at, end), 0), _seconds(start, end)))


def _replaces(one: StoreTransaction, paid: StoreTransaction) -> bool:
    begins = one.period_start or one.paid_at
    return (
        one.paid is Paid.PERIOD
        and one.product_id != paid.product_id
        and one.share_ppm == MILLION
        and begins > (paid.period_start or paid.paid_at)
    )


def _seconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds())
