"""What dashboards add up, put there by hand, and asking for it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from medici.adapters.payments.news import AuthMode, Ownership, Paid, PurchaseState, Source
from medici.domain.analytics.work import ROLLUP
from medici.domain.billing.models import (
    EntitlementRow,
    EntitlementStatus,
    Purchase,
    StoreTransaction,
)
from medici.domain.events.facts import EventName, Fact
from medici.domain.events.service import record
from medici.domain.identity.owner import OwnerKind
from medici.domain.identity.service import ensure_user
from medici.jobs.queue import enqueue
from medici.kernel.db.base import Base
from medici.kernel.db.database import Database
from medici.kernel.environment import Environment
from medici.kernel.ids import new_id
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW
from tests.support.studio import Studio

ADMIN = "/v1/admin/analytics"
HOUR = timedelta(hours=1)
RENDER = Fact(
    name=EventName.RENDER_STATUS_UPDATED,
    user_id="ada",
    platform="ios",
    provider="fal",
    model="flux",
    operation="restyle",
    tier="preview",
    status="completed",
    latency_ms=1_000,
    cost_micros=20_000,
    credits=1,
    plan_id="pro",
)


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    visitor = await visit("", admin_api_token=SecretStr("right"))
    visitor.client.headers["X-Admin-Token"] = "right"
    return visitor


async def tell(database: Database, *facts: Fact) -> None:
    async with database.transaction() as session:
        for fact in facts:
            await record(session, fact, now=NOW)


async def keep(database: Database, *rows: Base) -> None:
    async with database.transaction() as session:
        for user_id in ("ada", "bob"):
            await ensure_user(session, user_id=user_id, now=NOW)
        session.add_all(rows)


def ago(hours: float, **changes: Any) -> Fact:
    return replace(RENDER, occurred_at=NOW - hours * HOUR, **changes)


def payment(
    amount: int,
    *,
    user_id: str = "ada",
    plan_id: str | None = "pro",
    currency: str = "USD",
    refunded: int = 0,
    paid: Paid = Paid.PERIOD,
    lineage_id: str = "l1",
    paid_at: datetime = NOW - HOUR,
    source: Source = Source.WEB,
) -> StoreTransaction:
    return StoreTransaction(
        id=new_id(),
        source=source,
        environment=Environment.PRODUCTION,
        transaction_id=str(new_id()),
        lineage_id=lineage_id,
        user_id=user_id,
        product_id="product",
        plan_id=plan_id,
        pack_id=None if plan_id else "small",
        paid=paid,
        auth_mode=AuthMode.NATIVE,
        ownership=Ownership.PURCHASED,
        quantity=1,
        amount_minor=amount,
        currency=currency,
        refunded_minor=refunded,
        paid_at=paid_at,
        period_start=paid_at,
        period_end=paid_at + timedelta(minutes=30),
        details={},
        recorded_at=NOW,
    )


def purchase(state: PurchaseState = PurchaseState.ACTIVE, **changes: Any) -> Purchase:
    values: dict[str, Any] = {
        "id": new_id(),
        "user_id": "ada",
        "bound": True,
        "source": Source.IOS,
        "environment": Environment.PRODUCTION,
        "lineage_id": str(new_id()),
        "product_id": "product",
        "plan_id": "pro",
        "plan_price_cents": 1499,
        "state": state,
        "ownership": Ownership.PURCHASED,
        "started_at": NOW - HOUR,
        "lifetime": False,
        "will_renew": True,
        "list_price_minor": 11_988,
        "currency": "eur",
        "period": "P1Y",
        "auth_mode": AuthMode.NATIVE,
        "watermark": NOW,
        "watermark_event_id": "e",
        "details": {},
        "updated_at": NOW,
    }
    return Purchase(**{**values, **changes})


def entitlement(user_id: str, source: Source, expires_at: datetime | None) -> EntitlementRow:
    return EntitlementRow(
        owner_kind=OwnerKind.USER,
        owner_id=user_id,
        plan_id="pro",
        status=EntitlementStatus.ACTIVE,
        source=source,
        expires_at=expires_at,
        details={},
        updated_at=NOW,
    )


async def asked(operator: Visitor, path: str, **params: Any) -> Any:
    answer = await operator.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def rolled(studio: Studio) -> None:
    """Have the rollup's turn come."""
    async with studio.database.transaction() as session:
        await enqueue(session, ROLLUP, now=studio.clock(), args={})
    await studio.work()


MIXED: Sequence[Fact] = (
    ago(1),
    ago(2, latency_ms=3_000, tier="final", cost_micros=40_000),
    ago(3, status="failed", error_code="moderated", latency_ms=2_000, cost_micros=None),
    ago(4, provider="openai", latency_ms=6_000, platform="web"),
    ago(5, status="canceled", name=EventName.RENDER_CANCELED, latency_ms=9_000),
    ago(1, name=EventName.RENDER_DISPATCHED, status="queued", latency_ms=None, cost_micros=None),
    ago(1, trusted=False, latency_ms=90_000, cost_micros=10**9),
    ago(26, status="failed"),
)
