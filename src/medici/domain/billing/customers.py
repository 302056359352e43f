"""What stores call our users."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Source
from medici.domain.billing.models import StoreCustomer
from medici.kernel.environment import Environment


async def customer_of(
    session: AsyncSession, *, user_id: str, source: Source, environment: Environment
) -> str | None:
    """Return what a store calls a user; the newest name where it has several for one person."""
    found: str | None = await session.scalar(
        select(StoreCustomer.customer_id)
        .where(
            StoreCustomer.user_id == user_id,
            StoreCustomer.source == source,
            StoreCustomer.environment == environment,
        )
        .order_by(StoreCustomer.created_at.desc(), StoreCustomer.customer_id)
        .limit(1)
    )
    return found
