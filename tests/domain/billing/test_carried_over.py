"""Entitlements that were written by hand before there were purchases live on as one."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from medici.domain.billing.models import EntitlementStatus, Purchase
from medici.domain.billing.queries import effective_plan, entitlement
from medici.domain.billing.rules import Entitlement
from medici.domain.billing.service.deriving import derived
from medici.domain.billing.service.entitlements import set_entitlement
from medici.domain.identity.owner import Owner
from medici.kernel.db.database import Database
from medici.migrations.upgrade import downgrade, upgrade
from tests.domain.billing.books import POLICY, open_shop

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ADA = Owner.user("ada")
INSERT = text(
    "INSERT INTO entitlements (owner_kind, owner_id, plan_id, status, source, product_id,"
    " expires_at, details, updated_at) VALUES ('user', 'ada', 'pro', 'active', 'web', 'p1',"
    " '2026-12-24 12:00:00', '{\"ticket\": 17}', '2026-01-01 00:00:00')"
)


@pytest.fixture
async def old(database: Database) -> Database:
    """A database with one entitlement that is older than purchases, brought up to date."""
    await downgrade(database, "0002")
    async with database.transaction() as session:
        await session.execute(INSERT)
    await upgrade(database)
    async with database.transaction() as session:
        await open_shop(session)
    return database


class TestCarriedOver:
    async def test_reads_as_before(self, old: Database) -> None:
        async with old.reading() as session:
            held = await entitlement(session, owner=ADA)
            plan = await effective_plan(session, owner=ADA, now=NOW)

        assert (held.plan_id, held.source, held.product_id) == ("pro", "web", "p1")
        assert (held.details, plan.plan_id) == ({"ticket": 17}, "pro")

    async def test_derives_to_itself(self, old: Database) -> None:
        async with old.reading() as session:
            again = await derived(session, user_id="ada", policy=POLICY, now=NOW)

            assert again.entitlement == await entitlement(session, owner=ADA)

    async def test_is_replaced_by_hand(self, old: Database) -> None:
        basic = Entitlement(plan_id="basic", status=EntitlementStatus.ACTIVE)
        async with old.transaction() as session:
            await set_entitlement(session, owner=ADA, entitlement=basic, now=NOW)

            rows = await session.scalars(select(Purchase.plan_id))
            assert rows.all() == ["basic"]
            assert (await effective_plan(session, owner=ADA, now=NOW)).plan_id == "basic"
