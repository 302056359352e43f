"""What operators tune about entitlements: late renewals, and whose features count."""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Source
from medici.domain.billing.queries import entitlement
from medici.domain.billing.service.features import features
from medici.domain.billing.service.sweep import end_entitlements
from medici.domain.billing.variables import FEATURES_UNION, RENEWAL_LEEWAY_SECONDS
from medici.domain.identity.owner import Owner
from medici.domain.plans.models import Plan, Scalar
from medici.domain.plans.tuning import set_variable
from medici.domain.plans.variables import Tunable
from tests.domain.billing.books import POLICY, take
from tests.domain.billing.histories import NOW, Line

ADA = Owner.user("ada")
LINE = Line()
BASIC = Line(source=Source.WEB, lineage_id="sub_1", product_id="basic_web")
HOUR = timedelta(hours=1)


async def tune(session: AsyncSession, tunable: Tunable[Any], value: Scalar) -> None:
    await set_variable(
        session, key=tunable.key, value=value, description=None, tunable=tunable, now=NOW
    )


class TestRenewalLeeway:
    async def test_keeps_what_renews_for_a_while(self, shop: AsyncSession) -> None:
        await tune(shop, RENEWAL_LEEWAY_SECONDS, 3600)
        _, end = LINE.period(2)

        await take(shop, LINE.paid(2))
        held = await entitlement(shop, owner=ADA)

        assert (held.expires_at, held.plan_at(end)) == (end + HOUR, "pro")

    async def test_does_not_keep_what_was_switched_off(self, shop: AsyncSession) -> None:
        await tune(shop, RENEWAL_LEEWAY_SECONDS, 3600)
        await take(shop, LINE.paid(2))

        await take(shop, LINE.canceled(2))

        assert (await entitlement(shop, owner=ADA)).expires_at == LINE.period(2)[1]

    async def test_counts_when_the_clock_is_looked_at(self, shop: AsyncSession) -> None:
        await take(shop, LINE.paid(2))
        await tune(shop, RENEWAL_LEEWAY_SECONDS, 3600)
        _, end = LINE.period(2)

        await end_entitlements(shop, policy=POLICY, now=end)

        assert (await entitlement(shop, owner=ADA)).plan_at(end) == "pro"


class TestFeatures:
    async def test_are_those_of_the_best_plan(self, shop: AsyncSession) -> None:
        await sell_features(shop)

        assert await features(shop, user_id="ada", policy=POLICY, now=NOW) == ["hd", "fast"]

    async def test_are_those_of_every_plan_where_it_is_so_tuned(self, shop: AsyncSession) -> None:
        await sell_features(shop)
        await tune(shop, FEATURES_UNION, True)

        both = await features(shop, user_id="ada", policy=POLICY, now=NOW)
        none = await features(shop, user_id="bob", policy=POLICY, now=NOW)

        assert both == ["hd", "fast", "badge"]
        assert none == ["free things"]


async def sell_features(session: AsyncSession) -> None:
    """Let Ada pay for two plans whose features differ in part."""
    sold = {"free": ["free things"], "pro": ["hd", "fast"], "basic": ["badge", "hd"]}
    for plan_id, has in sold.items():
        (await session.get_one(Plan, plan_id)).features = has
    await session.flush()
    await take(session, LINE.paid(2))
    await take(session, BASIC.paid(2))
