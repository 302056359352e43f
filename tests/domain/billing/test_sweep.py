"""What happens with nobody's doing: ends by the clock, trials announced, a changed catalogue."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.models import EntitlementChange, EntitlementRow, EntitlementStatus
from medici.domain.billing.queries import effective_plan
from medici.domain.billing.service.rederiving import rederive_plan
from medici.domain.billing.service.sweep import announce_trials, end_entitlements
from medici.domain.events.models import Event
from medici.domain.identity.owner import Owner
from medici.domain.notices.models import WebhookEndpoint, WebhookNotice
from medici.domain.plans.models import Plan
from medici.kernel.ids import new_id
from tests.domain.billing.books import POLICY, take
from tests.domain.billing.histories import DAY, NOW, Line

IOS = Line()
WEB_BASIC = Line(lineage_id="sub_1", product_id="basic_ios")
END = IOS.period(2)[1]


async def held(session: AsyncSession) -> EntitlementRow:
    rows = await session.scalars(select(EntitlementRow).execution_options(populate_existing=True))
    return rows.one()


async def history(session: AsyncSession) -> list[tuple[object, object]]:
    rows = await session.scalars(select(EntitlementChange).order_by(EntitlementChange.id))
    return [(row.cause, (row.before["plan_id"], row.after["plan_id"])) for row in rows]


async def notices(session: AsyncSession) -> list[str]:
    rows = await session.scalars(select(WebhookNotice).order_by(WebhookNotice.id))
    return [str(row.type) for row in rows]


class TestEnds:
    async def test_are_written_down_once(self, shop: AsyncSession) -> None:
        await take(shop, IOS.paid(2))

        assert await end_entitlements(shop, policy=POLICY, now=END - DAY) == 0
        assert await end_entitlements(shop, policy=POLICY, now=END) == 1
        assert await end_entitlements(shop, policy=POLICY, now=END) == 0

        assert (await held(shop)).status is EntitlementStatus.EXPIRED
        told = await shop.scalars(select(Event).where(Event.name == "subscription_ended"))
        assert [event.occurred_at for event in told] == [END]

    async def test_of_two_at_once_are_two_changes_and_one_notice(self, shop: AsyncSession) -> None:
        for news in (IOS.paid(2), WEB_BASIC.paid(2)):
            await take(shop, news)
        shop.add(_endpoint())
        await shop.flush()
        before = len(await history(shop))

        await end_entitlements(shop, policy=POLICY, now=END)

        changes = (await history(shop))[before:]
        assert [cause for cause, _ in changes] == ["sweep", "sweep"]
        assert await notices(shop) == ["entitlement.expired"]

    async def test_leave_the_rest_to_the_next_purchase(self, shop: AsyncSession) -> None:
        longer = Line(lineage_id="sub_1", product_id="basic_ios", start=IOS.start + 10 * DAY)
        for news in (IOS.paid(2), longer.paid(2)):
            await take(shop, news)

        await end_entitlements(shop, policy=POLICY, now=END)

        assert (await held(shop)).plan_id == "basic"


class TestTrials:
    async def test_are_announced_three_days_ahead_and_once(self, shop: AsyncSession) -> None:
        trial = Line(start=NOW)
        await take(shop, trial.trial())
        shop.add(_endpoint())
        await shop.flush()
        end = trial.period(0)[1]

        for days in (4, 2, 1, 0):
            await announce_trials(shop, now=end - days * DAY)

        assert await notices(shop) == ["trial.will_end"]


class TestCatalogue:
    async def test_a_new_price_moves_everybody_without_a_word(self, shop: AsyncSession) -> None:
        for news in (IOS.paid(2), WEB_BASIC.paid(2)):
            await take(shop, news)
        shop.add(_endpoint())
        (await shop.get_one(Plan, "basic")).monthly_price_cents = 9999
        await shop.flush()

        assert await rederive_plan(shop, plan_id="basic", policy=POLICY, now=NOW) is None

        assert (await held(shop)).plan_id == "basic"
        assert (await history(shop))[-1] == ("catalogue", ("pro", "basic"))
        assert await notices(shop) == []

    async def test_a_product_that_becomes_known_counts(self, shop: AsyncSession) -> None:
        await take(shop, Line(product_id="mystery").paid(2))
        (await shop.get_one(Plan, "pro")).ios_product_id = "mystery"
        await shop.flush()

        await rederive_plan(shop, plan_id="pro", policy=POLICY, now=NOW)

        plan = await effective_plan(shop, owner=Owner.user("ada"), now=NOW)
        assert plan.plan_id == "pro"


def _endpoint() -> WebhookEndpoint:
    return WebhookEndpoint(
        id=new_id(),
        url="https://example.com/hook",
        description="",
        secret="sealed",
        secret_last4="1234",
        created_at=NOW,
        updated_at=NOW,
    )
