"""How much of a payment was used, for a store that is asked for the money back."""

from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Paid, Source
from medici.adapters.payments.store import Use
from medici.domain.billing.models import StoreTransaction
from medici.domain.ledger.queries import grants_by_id
from medici.domain.plans.defaults import FREE
from medici.domain.plans.models import Plan
from medici.kernel.environment import Environment


async def use_of(
    session: AsyncSession, *, source: Source, environment: Environment, transaction_id: str
) -> Use | None:
    """Return what a payment's customer has had of it; None for a payment that was never booked."""
    paid = await session.scalar(
        select(StoreTransaction).where(
            StoreTransaction.source == source,
            StoreTransaction.environment == environment,
            StoreTransaction.transaction_id == transaction_id,
        )
    )
    if paid is None:
        return None
    free = await session.scalar(select(Plan.daily_credits).where(Plan.plan_id == FREE))
    return Use(
        delivered=paid.credited_at is not None,
        share=await _share(session, paid),
        sampled=bool(free),
    )


async def _share(session: AsyncSession, paid: StoreTransaction) -> Fraction | None:
    """Return the part of a pack's credits that is spent or held; periods are a matter of time."""
    if paid.paid is not Paid.ONCE:
        return None
    if paid.credited_at is None:
        return Fraction(0)
    if paid.grant_id is None:
        return None
    (grant,) = await grants_by_id(session, [paid.grant_id])
    used = paid.credits - paid.revoked_credits - grant.free
    return Fraction(min(max(used, 0), paid.credits), paid.credits)
