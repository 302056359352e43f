"""Whose a store's customer is, where messages name different users."""

from dataclasses import replace
from itertools import permutations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import AuthMode, Buyer, Source, StoreNews
from medici.domain.billing.models import StoreCustomer
from medici.domain.plans.defaults import FREE
from medici.kernel.environment import Environment
from tests.domain.billing.books import Books, books, take
from tests.domain.billing.histories import DAY, START, Line, pack

CUSTOMER = Buyer(customer_id="cus_1")
SUBSCRIPTION = Line(source=Source.WEB, product_id="pro_web", buyer=CUSTOMER)


def linked(user_id: str, *, days: int) -> StoreNews:
    """Tell that a checkout led a user to a customer of the store."""
    return StoreNews(
        source=Source.WEB,
        environment=Environment.PRODUCTION,
        event_id=f"linked:{user_id}:{days}",
        event_type="linked",
        event_time=START + days * DAY,
        auth_mode=AuthMode.NATIVE,
        buyer=Buyer(user_id=user_id, customer_id="cus_1"),
    )


PACK = pack("p1", source=Source.WEB, product_id="pack_web", buyer=CUSTOMER)
TOLD = (linked("ada", days=1), linked("bob", days=2), SUBSCRIPTION.paid(2), PACK)


class TestCustomers:
    async def test_are_who_was_named_first_in_whatever_order_it_is_told(
        self, shop: AsyncSession
    ) -> None:
        found = [await led_to(shop, order) for order in permutations(TOLD)]

        for each in found:
            assert each == found[0]
        assert found[0].purchases[0]["user_id"] == "ada"
        assert {row["user_id"] for row in found[0].payments} == {"ada"}
        assert [(row["owner"], row["given"]) for row in found[0].credits] == [
            ("ada", 100),
            ("ada", 100),
        ]

    async def test_are_the_same_user_of_two_who_are_named_at_once(self, shop: AsyncSession) -> None:
        both = (linked("bob", days=1), linked("ada", days=1), SUBSCRIPTION.paid(2))
        found = [await led_to(shop, order) for order in permutations(both)]

        for each in found:
            assert each == found[0]

    async def test_keep_the_time_at_which_they_were_first_named(self, shop: AsyncSession) -> None:
        links = (linked("ada", days=3), linked("bob", days=2), linked("ada", days=1))
        for order in permutations(links):
            attempt = await shop.begin_nested()
            for news in order:
                await take(shop, news)
            known = (await shop.scalars(select(StoreCustomer))).one()
            assert (known.user_id, known.created_at) == ("ada", START + DAY)
            await attempt.rollback()
            shop.expire_all()


async def led_to(session: AsyncSession, messages: tuple[StoreNews, ...]) -> Books:
    """Return where messages lead that come in this order; nothing of it stays."""
    attempt = await session.begin_nested()
    for news in messages:
        await take(session, news)
    found = await books(session)
    await attempt.rollback()
    session.expire_all()
    # Who had it by mistake for a while holds the free plan, as if nobody had ever heard of them.
    return replace(
        found, entitlements=[row for row in found.entitlements if row["plan_id"] != FREE]
    )
