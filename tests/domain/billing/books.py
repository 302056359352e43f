"""A deployment that sells, and what all its rows come to, whatever ids they were given."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import StoreNews
from medici.domain.billing.models import (
    EntitlementRow,
    Purchase,
    StoreRefund,
    StoreTransaction,
)
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service.claims import claim
from medici.domain.billing.service.store_news import Taken, take_news
from medici.domain.identity.service import ensure_user
from medici.domain.inbox.sealing import NEWS
from medici.domain.ledger.models import Grant, GrantSource, Wallet
from medici.domain.plans.models import Pack, Plan
from medici.domain.plans.service import install_defaults
from medici.kernel.crypto import new_key
from medici.kernel.db.database import Database
from medici.kernel.keyring import KeyRing
from tests.domain.billing.histories import NOW

KEYS = KeyRing((new_key("k1"),))
POLICY = StorePolicy()
# What depends on which process wrote a row and when, not on what it says.
MADE_UP = {
    "id",
    "updated_at",
    "recorded_at",
    "told_at",
    "credited_at",
    "grant_id",
    "purchase_id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Everything that stores' news lead to, in an order that follows from the rows alone."""

    purchases: list[dict[str, Any]]
    payments: list[dict[str, Any]]
    refunds: list[dict[str, Any]]
    entitlements: list[dict[str, Any]]
    credits: list[dict[str, Any]]


async def open_shop(session: AsyncSession) -> None:
    """Sell a free, a basic and a pro plan and a pack, in every store."""
    await install_defaults(session, now=NOW)
    pro = await session.get_one(Plan, "pro")
    pro.ios_product_id, pro.android_product_id, pro.web_product_id = (
        "pro_ios",
        "pro_android",
        "pro_web",
    )
    pro.period_credits, pro.trial_credits = 100, 10
    session.add(plan("basic", cents=499, period_credits=30))
    session.add(
        Pack(
            pack_id="hundred",
            display_name="100 credits",
            is_active=True,
            credits=100,
            price_cents=499,
            ios_product_id="pack_ios",
            android_product_id="pack_android",
            web_product_id="pack_web",
            sort_order=1,
            updated_at=NOW,
        )
    )
    await session.flush()


def plan(plan_id: str, *, cents: int, period_credits: int = 0) -> Plan:
    return Plan(
        plan_id=plan_id,
        display_name=plan_id,
        is_active=True,
        daily_credits=5,
        preview_cost_credits=1,
        final_cost_credits=2,
        monthly_price_cents=cents,
        ios_product_id=f"{plan_id}_ios",
        android_product_id=f"{plan_id}_android",
        web_product_id=f"{plan_id}_web",
        features=[],
        period_credits=period_credits,
        trial_credits=0,
        updated_at=NOW,
    )


async def take(
    session: AsyncSession,
    news: StoreNews,
    *,
    now: datetime = NOW,
    policy: StorePolicy = POLICY,
) -> Taken:
    return await take_news(
        session, news, keys=KEYS, policy=policy, payload_hash=hashed(news), now=now
    )


async def take_all(database: Database, history: Iterable[StoreNews]) -> None:
    """Take each message in a transaction of its own."""
    for news in history:
        async with database.transaction() as session:
            await take(session, news)


async def show(
    session: AsyncSession, user_id: str, news: StoreNews, policy: StorePolicy = POLICY
) -> Taken:
    """Hand in a message as the client of a user who is signed in."""
    await ensure_user(session, user_id=user_id, now=NOW)
    return await claim(
        session,
        user_id=user_id,
        news=news,
        keys=KEYS,
        policy=policy,
        payload_hash=hashed(news),
        now=NOW,
    )


def hashed(news: StoreNews) -> str:
    return hashlib.sha256(NEWS.dump_json(news)).hexdigest()


async def books(session: AsyncSession) -> Books:
    return Books(
        purchases=await _rows(session, Purchase),
        payments=await _rows(session, StoreTransaction),
        refunds=await _rows(session, StoreRefund),
        entitlements=await _rows(session, EntitlementRow),
        credits=await _credits(session),
    )


async def _rows(session: AsyncSession, table: type[Any]) -> list[dict[str, Any]]:
    found = await session.scalars(select(table).execution_options(populate_existing=True))
    names = [column.key for column in table.__table__.columns if column.key not in MADE_UP]
    rows = [{name: getattr(row, name) for name in names} for row in found]
    return sorted(rows, key=repr)


async def _credits(session: AsyncSession) -> list[dict[str, Any]]:
    """Add up what each payment has brought to each wallet, over the grants that it was."""
    found = await session.execute(
        select(Wallet.owner_id, Wallet.environment, Grant)
        .join(Wallet, Wallet.id == Grant.wallet_id)
        .where(Grant.source != GrantSource.PLAN_DAILY)
        .execution_options(populate_existing=True)
    )
    totals: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for owner_id, environment, grant in found:
        payment = grant.source_ref.partition(":until:")[0]
        totals[owner_id, environment, payment] += Counter(
            given=grant.amount - grant.revoked,
            consumed=grant.consumed,
            expired=grant.expired,
        )
    return [
        {"owner": owner, "environment": environment, "payment": payment, **total}
        for (owner, environment, payment), total in sorted(totals.items())
        if total  # nothing is left where all of it went on to another owner
    ]
