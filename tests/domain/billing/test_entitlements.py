"""What an owner holds, and what that means at a moment."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Source
from medici.domain.billing.models import EntitlementRow, EntitlementStatus
from medici.domain.billing.queries import (
    EffectivePlan,
    effective_plan,
    effective_plans,
    entitlement,
)
from medici.domain.billing.rules import Entitlement, Succession
from medici.domain.billing.service.deriving import write_entitlement
from medici.domain.billing.service.entitlements import set_entitlement
from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.plans.errors import PlanNotFound
from medici.domain.plans.models import Plan
from medici.domain.plans.service import install_defaults
from medici.kernel.db.database import Database
from medici.kernel.db.driver.lent import driver_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = NOW + 30 * DAY
ADA = Owner.user("ada")
FREE = EffectivePlan(plan_id="free", daily_credits=3, preview_cost_credits=1, final_cost_credits=2)
PRO = EffectivePlan(plan_id="pro", daily_credits=80, preview_cost_credits=1, final_cost_credits=1)


@pytest.fixture
async def sold(session: AsyncSession) -> AsyncSession:
    """A deployment with its default plans."""
    await install_defaults(session, now=NOW)
    return session


def holding(
    *,
    plan_id: str = "pro",
    status: EntitlementStatus = EntitlementStatus.ACTIVE,
    expires_at: datetime | None = None,
) -> Entitlement:
    return Entitlement(plan_id=plan_id, status=status, expires_at=expires_at)


class TestEntitlement:
    async def test_of_the_unknown_is_free_inactive_and_manual(self, session: AsyncSession) -> None:
        assert await entitlement(session, owner=ADA) == Entitlement(
            plan_id="free",
            status=EntitlementStatus.INACTIVE,
            source=Source.MANUAL,
            product_id=None,
            original_transaction_id=None,
            renews_at=None,
            expires_at=None,
            details={},
        )

    async def test_comes_back_as_it_was_set(self, sold: AsyncSession) -> None:
        whole = Entitlement(
            plan_id="pro",
            status=EntitlementStatus.CANCELED,
            source=Source.WEB,
            product_id="pro_monthly_web",
            original_transaction_id="sub_1",
            renews_at=LATER,
            expires_at=LATER + timedelta(days=1),
            details={"ticket": 17},
        )

        await set_entitlement(sold, owner=ADA, entitlement=whole, now=NOW)

        assert await entitlement(sold, owner=ADA) == whole

    async def test_is_replaced_as_a_whole(self, sold: AsyncSession) -> None:
        first = Entitlement(plan_id="pro", product_id="pro_monthly_web", details={"ticket": 17})
        await set_entitlement(sold, owner=ADA, entitlement=first, now=NOW)

        await set_entitlement(sold, owner=ADA, entitlement=holding(), now=LATER)

        assert await entitlement(sold, owner=ADA) == holding()
        assert (await sold.scalars(select(EntitlementRow.updated_at))).all() == [LATER]

    async def test_belongs_to_one_owner(self, sold: AsyncSession) -> None:
        await set_entitlement(sold, owner=ADA, entitlement=holding(), now=NOW)

        namesake = Owner(kind=OwnerKind.ORG, id="ada")
        assert await entitlement(sold, owner=namesake) == Entitlement()

    async def test_of_a_plan_that_is_not_sold_is_refused(self, sold: AsyncSession) -> None:
        with pytest.raises(PlanNotFound):
            await set_entitlement(sold, owner=ADA, entitlement=holding(plan_id="gold"), now=NOW)

        assert await entitlement(sold, owner=ADA) == Entitlement()

    async def test_set_by_many_at_once_is_one_row(self, database: Database) -> None:
        async with database.transaction() as session:
            await install_defaults(session, now=NOW)

        async def give() -> None:
            async with database.transaction() as session:
                await set_entitlement(session, owner=ADA, entitlement=holding(), now=NOW)

        await asyncio.gather(*(give() for _ in range(8)))

        async with database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(EntitlementRow)) == 1
            assert await effective_plan(session, owner=ADA, now=NOW) == PRO


class TestEffectivePlan:
    async def test_of_the_unknown_is_free(self, sold: AsyncSession) -> None:
        assert await effective_plan(sold, owner=ADA, now=NOW) == FREE

    @pytest.mark.parametrize(
        ("held", "plan"),
        [
            (holding(), PRO),
            (holding(expires_at=NOW + timedelta(microseconds=1)), PRO),
            (holding(expires_at=NOW), FREE),
            (holding(status=EntitlementStatus.CANCELED, expires_at=LATER), FREE),
            (holding(status=EntitlementStatus.EXPIRED), FREE),
            (holding(status=EntitlementStatus.INACTIVE), FREE),
            (holding(plan_id="free"), FREE),
        ],
    )
    async def test_counts_while_it_is_active_and_has_not_ended(
        self, sold: AsyncSession, held: Entitlement, plan: EffectivePlan
    ) -> None:
        await set_entitlement(sold, owner=ADA, entitlement=held, now=NOW)

        assert await effective_plan(sold, owner=ADA, now=NOW) == plan

    async def test_lasts_when_its_plan_is_not_sold_any_more(self, sold: AsyncSession) -> None:
        await set_entitlement(sold, owner=ADA, entitlement=holding(), now=NOW)
        await sold.execute(
            update(Plan).where(Plan.plan_id == "pro").values(is_active=False, deleted_at=NOW)
        )

        assert await effective_plan(sold, owner=ADA, now=NOW) == PRO

    async def test_is_the_next_purchase_s_once_the_first_has_ended(
        self, sold: AsyncSession
    ) -> None:
        held = Entitlement(
            plan_id="free",
            status=EntitlementStatus.ACTIVE,
            expires_at=NOW,
            then=Succession(plan_id="pro", ends_at=LATER),
        )
        await write_entitlement(sold, ADA, held, purchase_id=None, now=NOW)

        for moment, plan in ((NOW - DAY, FREE), (NOW, PRO), (LATER, FREE)):
            at_once = await effective_plans(
                await driver_of(sold), kind=ADA.kind, owner_ids=["ada"], now=moment
            )
            assert await effective_plan(sold, owner=ADA, now=moment) == plan
            assert at_once == {"ada": plan}

    async def test_gives_way_to_free_when_its_plan_is_gone(self, sold: AsyncSession) -> None:
        await set_entitlement(sold, owner=ADA, entitlement=holding(), now=NOW)
        await sold.execute(delete(Plan).where(Plan.plan_id == "pro"))

        assert await effective_plan(sold, owner=ADA, now=NOW) == FREE

    async def test_without_any_plan_renders_still_have_a_price(self, session: AsyncSession) -> None:
        assert await effective_plan(session, owner=ADA, now=NOW) == EffectivePlan(
            plan_id="free", daily_credits=0, preview_cost_credits=1, final_cost_credits=2
        )
