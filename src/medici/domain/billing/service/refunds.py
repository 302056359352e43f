"""Booking refunds: of several words about one, the newest counts."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Refund, StoreNews
from medici.domain.billing.credits import parts_per_million
from medici.domain.billing.lineages import Lineage
from medici.domain.billing.models import StoreRefund
from medici.kernel.db.inserts import insert_into
from medici.kernel.ids import new_id


async def record_refund(
    session: AsyncSession, news: StoreNews, refund: Refund, *, now: datetime
) -> StoreRefund | None:
    """Book a refund, or the newest word about it; None where nothing of this is new."""
    inserted = await session.scalar(
        insert_into(session, StoreRefund)
        .values(
            id=new_id(),
            source=news.source,
            environment=news.environment,
            refund_id=refund.refund_id,
            recorded_at=now,
            **_said(refund),
        )
        .on_conflict_do_nothing()
        .returning(StoreRefund.id)
    )
    if inserted is not None:
        return await session.get_one(StoreRefund, inserted)
    known = (
        await session.scalars(
            select(StoreRefund)
            .where(
                StoreRefund.source == news.source,
                StoreRefund.environment == news.environment,
                StoreRefund.refund_id == refund.refund_id,
            )
            .execution_options(populate_existing=True)
        )
    ).one()
    said = _said(refund)
    if not _is_newer(refund, known):
        return None
    for name, value in said.items():
        setattr(known, name, value)
    await session.flush()
    return known


async def refunds_of(
    session: AsyncSession, lineage: Lineage, transaction_ids: Collection[str]
) -> Sequence[StoreRefund]:
    """Return every refund of some payments of one store."""
    rows = await session.scalars(
        select(StoreRefund)
        .where(
            StoreRefund.source == lineage.source,
            StoreRefund.environment == lineage.environment,
            StoreRefund.transaction_id.in_(transaction_ids),
        )
        .order_by(StoreRefund.said_at, StoreRefund.refund_id)
        .execution_options(populate_existing=True)
    )
    return rows.all()


def _said(refund: Refund) -> dict[str, object]:
    return {
        "transaction_id": refund.transaction_id,
        "share_ppm": parts_per_million(refund.share),
        "amount_minor": refund.amount_minor,
        "reversed": refund.reversed,
        "ends_access": refund.ends_access,
        "reason": refund.reason[:128] if refund.reason else None,
        "said_at": refund.at,
    }


def _is_newer(refund: Refund, known: StoreRefund) -> bool:
    """Compare two words; at the same moment a reversal comes after what it reverses."""
    new = (refund.at, refund.reversed, parts_per_million(refund.share), refund.ends_access)
    return new > (known.said_at, known.reversed, known.share_ppm, known.ends_access)
