"""Booking payments: each once, whoever tells of it and however often."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import AuthMode, Payment, StoreNews
from medici.domain.billing.credits import parts_per_million
from medici.domain.billing.derive import RELAYED
from medici.domain.billing.lineages import BUYER, Lineage, lineage_of
from medici.domain.billing.models import StoreTransaction
from medici.domain.billing.service.lineages import home
from medici.kernel.db.inserts import insert_into
from medici.kernel.ids import new_id

# What a transaction's details hold.
WORD, BUYER_OF, CLAIMS, RECEIPT = "word", "buyer", "claims", "receipt"
NOTHING_YET: Mapping[str, object] = {
    "refunded_share_ppm": 0,
    "refunded_minor": 0,
    "ends_access": False,
    "credits": 0,
    "revoked_credits": 0,
    "unrecovered_credits": 0,
    "recovered_credits": 0,
}


async def record_payment(
    session: AsyncSession,
    news: StoreNews,
    payment: Payment,
    *,
    homes: Mapping[str, Lineage],
    now: datetime,
) -> StoreTransaction:
    """Book a payment once. Of two messages about it the better one is believed.

    ``homes`` are told lineages of which the caller knows where they belong.
    """
    facts = await _facts(session, news, payment, homes)
    booked: StoreTransaction | None = await session.scalar(
        insert_into(session, StoreTransaction)
        .values(
            id=new_id(),
            source=news.source,
            environment=news.environment,
            transaction_id=payment.transaction_id,
            recorded_at=now,
            **NOTHING_YET,
            **facts,
        )
        .on_conflict_do_nothing()
        .returning(StoreTransaction)
    )
    if booked is not None:
        return booked
    known = (
        await session.scalars(
            select(StoreTransaction)
            .where(
                StoreTransaction.source == news.source,
                StoreTransaction.environment == news.environment,
                StoreTransaction.transaction_id == payment.transaction_id,
            )
            .execution_options(populate_existing=True)
        )
    ).one()
    _believe(known, facts)
    await session.flush()
    return known


async def _facts(
    session: AsyncSession, news: StoreNews, payment: Payment, homes: Mapping[str, Lineage]
) -> dict[str, Any]:
    relayed = news.auth_mode in RELAYED
    lineage_id = payment.lineage_id
    if lineage_id is not None:
        belongs = homes.get(lineage_id) or await home(session, lineage_of(news, lineage_id))
        lineage_id = belongs.id
    return {
        "lineage_id": lineage_id,
        "product_id": payment.product_id,
        "paid": payment.paid,
        "auth_mode": news.auth_mode,
        "ownership": payment.ownership,
        "quantity": payment.quantity,
        "share_ppm": parts_per_million(payment.share),
        # What a relay says was paid is not proven, so it is no revenue.
        "amount_minor": None if relayed else payment.amount_minor,
        "currency": None if relayed else payment.currency,
        "paid_at": payment.paid_at,
        "period_start": payment.period_start,
        "period_end": payment.period_end,
        "details": _details(news, payment),
    }


def _details(news: StoreNews, payment: Payment) -> dict[str, object]:
    buyer = BUYER.dump_python(news.buyer, mode="json")
    claims = [buyer.pop("user_id")] if news.auth_mode is AuthMode.CLIENT else []
    return {
        WORD: [news.auth_mode in RELAYED, news.event_time.isoformat(), news.event_id],
        BUYER_OF: {name: value for name, value in buyer.items() if value is not None},
        CLAIMS: claims,
        RECEIPT: payment.receipt,
    }


def _believe(known: StoreTransaction, facts: Mapping[str, Any]) -> None:
    """Let the better word count, and each word fill in what the other did not say."""
    said: dict[str, Any] = facts["details"]
    had: dict[str, Any] = known.details
    better = said[WORD] < had[WORD]
    for name, value in facts.items():
        stored = getattr(known, name)
        if name != "details" and value is not None and (better or stored is None):
            setattr(known, name, value)
    first, second = (said, had) if better else (had, said)
    new_claims = [each for each in said[CLAIMS] if [each] != had[CLAIMS][-1:]]
    known.details = {
        WORD: first[WORD],
        BUYER_OF: {**second[BUYER_OF], **first[BUYER_OF]},
        CLAIMS: [*had[CLAIMS], *new_claims],
        RECEIPT: first[RECEIPT] or second[RECEIPT],
    }
