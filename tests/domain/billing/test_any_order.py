"""The order in which stores' messages come changes nothing, and neither do repeats."""

import asyncio
from collections.abc import Mapping, Sequence
from fractions import Fraction
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import AuthMode, PurchaseState, Source, StoreNews
from medici.domain.ledger.audit import audit
from medici.kernel.db.database import Database
from tests.domain.billing.books import Books, books, take, take_all
from tests.domain.billing.histories import DAY, Line, pack, random_history
from tests.support.databases import opened

IOS = Line()
WEB = Line(source=Source.WEB, lineage_id="sub_1", product_id="basic_web")
TRIED = Line(lineage_id="t1")
RELAYED = Line(auth_mode=AuthMode.RELAY)
SECOND_TOKEN = Line(
    source=Source.ANDROID,
    lineage_id="token-2",
    product_id="pro_android",
    said={"follows": "token-1"},
)
FIRST_TOKEN = Line(source=Source.ANDROID, lineage_id="token-1", product_id="basic_android")

HISTORIES: Mapping[str, Sequence[StoreNews]] = {
    "refund, reversal and two stores": [
        IOS.paid(1),
        IOS.paid(2),
        IOS.refunded(2, share=Fraction(1, 3)),
        IOS.refunded(2, reversed_=True),
        WEB.paid(2),
        WEB.canceled(2),
    ],
    "overdue, recovered, refunded": [
        IOS.paid(1),
        IOS.grace(1),
        IOS.retrying(1),
        IOS.paid(2),
        IOS.refunded(1),
        IOS.refunded(2),
    ],
    "trial, upgrade, refund, pack": [
        TRIED.trial(),
        TRIED.paid(1),
        TRIED.upgraded("basic_ios", 1, after=10 * DAY),
        TRIED.refunded(1, share=Fraction(1, 2), ends_access=False),
        TRIED.extended(1, 5 * DAY),
        pack("p1"),
    ],
    "a relay beside the store": [
        IOS.paid(2),
        RELAYED.stands(2, PurchaseState.BILLING_RETRY, IOS.period(2)[0]),
        RELAYED.expired(1),
        RELAYED.paid(1),
    ],
    "one purchase under two tokens": [
        FIRST_TOKEN.paid(1),
        SECOND_TOKEN.paid(2),
        FIRST_TOKEN.expired(2),
        SECOND_TOKEN.canceled(2),
        FIRST_TOKEN.refunded(1),
    ],
}


class Orders:
    """Every order of a history, by what is known after each part of it.

    If each part leads to the same books whichever of its messages came last, then so do all orders
    of it: that takes 192 messages for six, where all orders one by one would take 4,320.
    """

    def __init__(self, session: AsyncSession, history: Sequence[StoreNews]) -> None:
        self.session = session
        self.history = history
        self.known: dict[frozenset[int], Books] = {}

    async def walk(self, taken: frozenset[int] = frozenset()) -> None:
        """Take each message that has not come yet, and go on from there in one of the ways."""
        for number, news in enumerate(self.history):
            if number in taken:
                continue
            attempt = await self.session.begin_nested()
            await take(self.session, news)
            await self._compare(taken | {number})
            if number > max(taken, default=-1):
                await self.walk(taken | {number})
            await attempt.rollback()
            self.session.expire_all()

    async def _compare(self, taken: frozenset[int]) -> None:
        found = await books(self.session)
        assert self.known.setdefault(taken, found) == found, sorted(taken)


class TestEveryOrder:
    @pytest.mark.parametrize("name", HISTORIES)
    async def test_ends_in_the_same_books(self, shop: AsyncSession, name: str) -> None:
        orders = Orders(shop, HISTORIES[name])

        await orders.walk()

        assert len(orders.known) == 2 ** len(orders.history) - 1
        whole = orders.known[frozenset(range(len(orders.history)))]
        assert whole.purchases
        assert whole.credits

    async def test_repeats_change_nothing(self, shop: AsyncSession) -> None:
        for history in HISTORIES.values():
            for news in history:
                await take(shop, news)
        before = await books(shop)

        for history in HISTORIES.values():
            for news in reversed(history):
                assert (await take(shop, news)).message == "duplicate_event"

        assert await books(shop) == before


class TestRandomHistories:
    @pytest.mark.parametrize("seed", range(12))
    async def test_shuffled_repeated_and_raced_end_the_same(
        self, opened_shop: Database, database_url: str, seed: int
    ) -> None:
        """Two processes take the halves of a history at once, in any order, with repeats."""
        random = Random(seed)
        history = random_history(random)
        async with opened_shop.transaction() as session:
            for news in history:
                await take(session, news)
            expected = await books(session)
            assert await audit(session) == []
            await session.rollback()

        shuffled = history + random.sample(history, k=len(history) // 2)
        random.shuffle(shuffled)
        async with opened(database_url) as other:
            await asyncio.gather(
                take_all(opened_shop, shuffled[::2]), take_all(other, shuffled[1::2])
            )

        async with opened_shop.reading() as session:
            assert await books(session) == expected
            assert await audit(session) == []
