"""An operator's word beats every purchase, until its day."""

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.derive import Because
from medici.domain.billing.errors import EndNotAhead, OverrideNotFound
from medici.domain.billing.models import EntitlementChange
from medici.domain.billing.queries import effective_plan
from medici.domain.billing.service.deriving import derived
from medici.domain.billing.service.overrides import override, remove_override
from medici.domain.identity.owner import Owner
from medici.domain.plans.errors import PlanNotFound
from tests.domain.billing.books import POLICY, take
from tests.domain.billing.histories import DAY, NOW, Line

IOS = Line()
HOUR_LATER = NOW + DAY / 24


async def plan_at(session: AsyncSession, now: datetime) -> str:
    return (await effective_plan(session, owner=Owner.user("ada"), now=now)).plan_id


async def give(
    session: AsyncSession, plan_id: str, *, until: datetime = NOW + DAY, now: datetime = NOW
) -> None:
    await override(
        session,
        user_id="ada",
        plan_id=plan_id,
        until=until,
        reason="ticket 17",
        policy=POLICY,
        now=now,
    )


async def remove(session: AsyncSession, now: datetime) -> None:
    await remove_override(session, user_id="ada", reason="done", policy=POLICY, now=now)


class TestOverride:
    @pytest.mark.parametrize("plan_id", ["free", "basic"])
    async def test_beats_what_was_bought_until_its_day(
        self, shop: AsyncSession, plan_id: str
    ) -> None:
        await take(shop, IOS.paid(2))

        await give(shop, plan_id)

        assert await plan_at(shop, NOW) == plan_id
        assert await plan_at(shop, NOW + DAY) == "pro"  # nobody has done anything since
        why = await derived(shop, user_id="ada", policy=POLICY, now=NOW)
        assert [each.because for each in why.beaten] == [Because.OVERRIDE]
        causes = await shop.scalars(select(EntitlementChange.cause).order_by(EntitlementChange.id))
        assert causes.all() == ["store", "operator"]

    async def test_gives_a_newcomer_a_plan(self, shop: AsyncSession) -> None:
        await give(shop, "pro")

        assert await plan_at(shop, NOW) == "pro"

    async def test_outlives_news_of_stores(self, shop: AsyncSession) -> None:
        await give(shop, "basic")

        await take(shop, IOS.paid(2))

        assert await plan_at(shop, NOW) == "basic"

    async def test_is_replaced_by_the_next(self, shop: AsyncSession) -> None:
        await give(shop, "basic")

        await give(shop, "pro", now=HOUR_LATER)

        assert await plan_at(shop, HOUR_LATER) == "pro"

    async def test_is_removed_once(self, shop: AsyncSession) -> None:
        await give(shop, "pro")

        await remove(shop, HOUR_LATER)

        assert await plan_at(shop, HOUR_LATER) == "free"
        with pytest.raises(OverrideNotFound):
            await remove(shop, HOUR_LATER)

    async def test_needs_an_end_to_come(self, shop: AsyncSession) -> None:
        with pytest.raises(EndNotAhead):
            await give(shop, "pro", until=NOW)

    async def test_needs_a_plan(self, shop: AsyncSession) -> None:
        with pytest.raises(PlanNotFound):
            await give(shop, "gold")
