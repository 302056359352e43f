"""What follows from each meeting of two messages, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import (
    AuthMode,
    Ownership,
    PurchaseState,
    Source,
    StoreNews,
)
from medici.domain.billing.models import EntitlementStatus, Purchase
from medici.domain.billing.policy import SandboxPurchases, StorePolicy
from medici.domain.billing.queries import effective_plan, entitlement
from medici.domain.billing.rules import Entitlement
from medici.domain.billing.service.entitlements import set_entitlement
from medici.domain.identity.owner import Owner
from medici.domain.ledger.models import Grant, GrantSource
from medici.domain.plans.models import Plan
from medici.kernel.environment import Environment
from tests.domain.billing.books import take
from tests.domain.billing.histories import DAY, MONTH, NOW, START, Line

ADA = Owner.user("ada")
# Period 2 of each runs from 31 October to 30 November, and so at NOW.
WEB = Line(source=Source.WEB, lineage_id="sub_1", product_id="pro_web")
WEB_BASIC = Line(source=Source.WEB, lineage_id="sub_2", product_id="basic_web")
IOS = Line(source=Source.IOS, lineage_id="o1", product_id="pro_ios")
IOS_BASIC = Line(source=Source.IOS, lineage_id="o2", product_id="basic_ios")
PLAY = Line(source=Source.ANDROID, lineage_id="t1", product_id="pro_android")
OLD_TOKEN = Line(source=Source.ANDROID, lineage_id="t1", product_id="basic_android")
NEW_TOKEN = Line(
    source=Source.ANDROID, lineage_id="t2", product_id="pro_android", said={"follows": "t1"}
)
FAMILY = Line(source=Source.IOS, lineage_id="f1", said={"ownership": Ownership.FAMILY})
SANDBOX = Line(lineage_id="s1", environment=Environment.SANDBOX)
DATELESS = Line(
    source=Source.WEB,
    lineage_id="sub_3",
    product_id="pro_web",
    said={"expires_at": None, "renews_at": None},
)

LAST_DAY = NOW + 5 * DAY
AFTER = NOW + 7 * DAY  # all periods 2 are over


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Messages in the order of arrival, what the last one was called, and who has what then."""

    news: Sequence[StoreNews]
    holds: tuple[str, str]  # plan in effect and source
    message: str = "processed"
    now: datetime = NOW


ROWS = {
    "1 the end of another store's purchase leaves it": Row(
        news=[WEB.paid(2), PLAY.expired(1)], holds=("pro", "web")
    ),
    "2 its own store ends it": Row(
        news=[WEB.paid(2), WEB.stands(2, PurchaseState.EXPIRED, NOW)], holds=("free", "web")
    ),
    "3 the dearer plan stays": Row(news=[WEB.paid(2), IOS_BASIC.paid(2)], holds=("pro", "web")),
    "4 the dearer plan wins": Row(news=[IOS_BASIC.paid(2), WEB.paid(2)], holds=("pro", "web")),
    "5 the weaker takes over by itself": Row(
        news=[
            Line(lineage_id="o2", product_id="basic_ios", start=START + 20 * DAY).paid(2),
            WEB.paid(2),
            WEB.canceled(2),
        ],
        holds=("basic", "web"),
        now=AFTER,
    ),
    "6 of equal plans the later end": Row(
        news=[
            IOS.paid(2),
            Line(source=Source.WEB, lineage_id="w", product_id="pro_web", start=START + DAY).paid(
                2
            ),
        ],
        holds=("pro", "web"),
    ),
    "7 a date beats none": Row(news=[DATELESS.paid(2), IOS.paid(2)], holds=("pro", "ios")),
    "10 the same again": Row(
        news=[IOS.paid(2), IOS.paid(2)], holds=("pro", "ios"), message="duplicate_event"
    ),
    "11 older word is stale": Row(
        news=[IOS.paid(2), IOS.expired(0)], holds=("pro", "ios"), message="stale_event"
    ),
    "12 a late renewal is stale for the state": Row(
        news=[IOS.stands(2, PurchaseState.EXPIRED, NOW), IOS.paid(2)],
        holds=("free", "ios"),
        message="stale_event",
    ),
    "13 an old period's refund": Row(
        news=[IOS.paid(1), IOS.paid(2), IOS.refunded(1)], holds=("pro", "ios")
    ),
    "14 the current period's refund": Row(
        news=[WEB_BASIC.paid(2), IOS.paid(2), IOS.refunded(2)], holds=("basic", "web")
    ),
    "15 and its reversal": Row(
        news=[IOS.paid(2), IOS.refunded(2), IOS.refunded(2, reversed_=True)],
        holds=("pro", "ios"),
    ),
    "16 grace": Row(news=[IOS.paid(2), IOS.grace(2)], holds=("pro", "ios"), now=AFTER),
    "17 the end of grace": Row(
        news=[IOS.paid(2), IOS.grace(2), IOS.retrying(2)],
        holds=("free", "ios"),
        now=AFTER + 7 * DAY,
    ),
    "18 recovered": Row(
        news=[IOS.paid(2), IOS.grace(2), IOS.retrying(2), IOS.recovered(2)],
        holds=("pro", "ios"),
        now=AFTER + 8 * DAY,
    ),
    "19 renewal switched off": Row(news=[IOS.paid(2), IOS.canceled(2)], holds=("pro", "ios")),
    "20 an upgrade counts at once": Row(
        news=[IOS_BASIC.paid(2), IOS_BASIC.upgraded("pro_ios", 2, after=DAY)],
        holds=("pro", "ios"),
    ),
    "22 another token of the same purchase": Row(
        news=[
            OLD_TOKEN.paid(2),
            NEW_TOKEN.paid(2),
            OLD_TOKEN.stands(2, PurchaseState.EXPIRED, NOW),
        ],
        holds=("pro", "android"),
        message="stale_event",
    ),
    "24 a trial beside a paid one": Row(
        news=[Line(lineage_id="x", start=START + 2 * MONTH + DAY).trial(), WEB.paid(2)],
        holds=("pro", "ios"),
    ),
    "25 paused": Row(
        news=[PLAY.paid(2), PLAY.stands(2, PurchaseState.PAUSED, NOW, resumes_at=AFTER)],
        holds=("free", "android"),
    ),
    "26 the sandbox is apart": Row(news=[SANDBOX.paid(2)], holds=("free", "manual")),
}


async def holds(session: AsyncSession, now: datetime = NOW) -> tuple[str, str]:
    plan = await effective_plan(session, owner=ADA, now=now)
    return plan.plan_id, (await entitlement(session, owner=ADA)).source


async def period_grants(session: AsyncSession) -> dict[str, int]:
    rows = await session.execute(
        select(Grant.source_ref, Grant.amount).where(Grant.source == GrantSource.PLAN_PERIOD)
    )
    return {row.source_ref.rpartition(":")[2]: row.amount for row in rows}


class TestRows:
    @pytest.mark.parametrize("name", ROWS)
    async def test_row(self, shop: AsyncSession, name: str) -> None:
        row = ROWS[name]

        answers = [await take(shop, news) for news in row.news]

        assert answers[-1].message == row.message
        assert await holds(shop, row.now) == row.holds


class TestFurtherRows:
    async def test_8_any_purchase_beats_free_by_hand(self, shop: AsyncSession) -> None:
        await set_entitlement(shop, owner=ADA, entitlement=Entitlement(), now=NOW)

        await take(shop, WEB_BASIC.paid(2))

        assert await holds(shop) == ("basic", "web")

    async def test_9_what_is_taken_by_hand_leaves_what_was_bought(self, shop: AsyncSession) -> None:
        given = Entitlement(plan_id="pro", status=EntitlementStatus.ACTIVE)
        await set_entitlement(shop, owner=ADA, entitlement=given, now=NOW)
        await take(shop, WEB_BASIC.paid(2))

        await set_entitlement(shop, owner=ADA, entitlement=Entitlement(), now=NOW)

        assert await holds(shop) == ("basic", "web")

    async def test_12_a_late_renewal_is_booked_all_the_same(self, shop: AsyncSession) -> None:
        await take(shop, IOS.expired(2))

        await take(shop, IOS.paid(2))

        assert await period_grants(shop) == {"o1.2": 100}

    async def test_16_and_18_grace_gives_no_credits_and_recovery_does(
        self, shop: AsyncSession
    ) -> None:
        for news in (IOS.paid(2), IOS.grace(2)):
            await take(shop, news)
        assert await period_grants(shop) == {"o1.2": 100}

        await take(shop, IOS.paid(3))

        assert await period_grants(shop) == {"o1.2": 100, "o1.3": 100}

    async def test_21_a_downgrade_waits_for_the_renewal(self, shop: AsyncSession) -> None:
        await take(shop, IOS.paid(2))

        later = {"pending_product_id": "basic_ios"}
        await take(shop, IOS.stands(2, PurchaseState.ACTIVE, NOW, **later))

        row = (await shop.scalars(select(Purchase))).one()
        assert (row.plan_id, row.pending_plan_id) == ("pro", "basic")

    async def test_22_two_tokens_are_one_purchase(self, shop: AsyncSession) -> None:
        for news in (NEW_TOKEN.paid(2), OLD_TOKEN.paid(1)):
            await take(shop, news)

        row = (await shop.scalars(select(Purchase))).one()
        assert (row.lineage_id, row.plan_id) == ("t1", "pro")

    async def test_23_what_a_relative_bought_brings_access_and_no_credits(
        self, shop: AsyncSession
    ) -> None:
        shared = FAMILY.paid(2)
        payment = FAMILY.payment(2, ownership=Ownership.FAMILY)
        await take(
            shop,
            FAMILY.news(
                "shared", shared.event_time, standings=shared.standings, payments=(payment,)
            ),
        )
        assert await holds(shop) == ("pro", "ios")
        assert await period_grants(shop) == {}

        await take(shop, WEB.paid(2))
        assert await holds(shop) == ("pro", "web")

        await take(shop, FAMILY.stands(2, PurchaseState.REVOKED, NOW))
        assert await holds(shop) == ("pro", "web")

    async def test_26_the_sandbox_counts_for_those_who_test(self, shop: AsyncSession) -> None:
        policy = StorePolicy(sandbox=SandboxPurchases.ALLOWLIST, sandbox_users=frozenset({"ada"}))

        await take(shop, SANDBOX.paid(2), policy=policy)

        assert await holds(shop) == ("pro", "ios")

    async def test_29_a_plan_that_is_not_sold_any_more_lasts(self, shop: AsyncSession) -> None:
        await take(shop, IOS.paid(2))
        pro = await shop.get_one(Plan, "pro")
        pro.is_active, pro.deleted_at = False, NOW

        await take(shop, IOS.canceled(2))

        assert await holds(shop) == ("pro", "ios")

    async def test_an_unknown_product_gives_nothing(self, shop: AsyncSession) -> None:
        answer = await take(shop, Line(product_id="mystery").paid(2))

        assert answer.message == "unclaimed"
        assert await holds(shop) == ("free", "manual")

    async def test_a_message_without_a_user_is_kept(self, shop: AsyncSession) -> None:
        answer = await take(shop, Line(user_id=None).paid(2))

        assert answer.message == "unclaimed"
        row = (await shop.scalars(select(Purchase))).one()
        assert (row.user_id, row.plan_id) == (None, "pro")

    async def test_a_message_that_tells_nothing_is_ignored(self, shop: AsyncSession) -> None:
        assert (await take(shop, IOS.news("test", NOW))).message == "ignored"

    @pytest.mark.parametrize("mode", [AuthMode.RELAY, AuthMode.OPEN])
    async def test_a_relay_never_moves_what_the_store_said_later(
        self, shop: AsyncSession, mode: AuthMode
    ) -> None:
        await take(shop, IOS.paid(2))
        facts: dict[str, Any] = {"auth_mode": mode}

        at_once = Line(**facts).stands(2, PurchaseState.EXPIRED, IOS.period(2)[0])
        answer = await take(shop, at_once)

        assert answer.message == "stale_event"
        assert await holds(shop) == ("pro", "ios")
