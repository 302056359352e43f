"""What came in, from the transactions of every store."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.currencies import exponent_of
from medici.adapters.payments.news import Ownership, Paid, Source
from medici.domain.analytics.spans import Window
from medici.domain.billing.models import StoreTransaction
from medici.domain.insights.alerts import FEE_PERCENT
from medici.domain.plans.variables import Variables
from medici.kernel.db.base import BigInt
from medici.kernel.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """What was paid for one plan, or for packs, in one store and currency, less refunds."""

    source: Source
    plan_id: str | None  # None: a pack, or a product of no plan
    currency: str
    payments: int
    refunded: int  # payments of which anything was given back
    net: Decimal  # in currency units


async def income(session: AsyncSession, window: Window) -> list[Income]:
    """Add up what was paid in a window. A payment whose amount is not known is none."""
    paid = StoreTransaction
    net = func.sum(paid.amount_minor - paid.refunded_minor).cast(BigInt)
    rows = await session.execute(
        select(
            paid.source,
            paid.plan_id,
            paid.currency,
            func.count().label("payments"),
            func.count(func.nullif(paid.refunded_minor, 0)).label("refunded"),
            net.label("net"),
        )
        .where(
            and_(paid.paid_at >= window.since, paid.paid_at < window.until),
            paid.environment == Environment.PRODUCTION,
            paid.amount_minor.is_not(None),
            paid.currency.is_not(None),
            paid.paid != Paid.TRIAL,
            paid.ownership == Ownership.PURCHASED,
        )
        .group_by(paid.source, paid.plan_id, paid.currency)
    )
    return [
        Income(
            source=row.source,
            plan_id=row.plan_id,
            currency=row.currency.lower(),
            payments=row.payments,
            refunded=row.refunded,
            net=units(row.net, row.currency),
        )
        for row in rows
    ]


def units(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent_of(currency))


def by_currency(incomes: Sequence[Income]) -> dict[str, Decimal]:
    added: dict[str, Decimal] = defaultdict(Decimal)
    for each in incomes:
        added[each.currency] += each.net
    return dict(added)


def fees(incomes: Sequence[Income], variables: Variables) -> dict[str, Decimal]:
    """Estimate what stores keep, by currency."""
    kept = fee_shares(variables)
    added: dict[str, Decimal] = defaultdict(Decimal)
    for each in incomes:
        added[each.currency] += each.net * kept.get(each.source, Decimal(0))
    return dict(added)


def fee_shares(variables: Variables) -> Mapping[str, Decimal]:
    """Return the part of a payment that each store keeps."""
    return {
        source: Decimal(str(variables[tunable])) / 100 for source, tunable in FEE_PERCENT.items()
    }
