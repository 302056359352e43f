"""A store asks how much of a payment was used, before it decides on a refund."""

from fractions import Fraction

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import NOBODY, AuthMode, Source, StoreNews
from medici.adapters.payments.store import Use
from medici.domain.billing import tasks
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service.use import use_of
from medici.domain.identity.owner import Owner
from medici.domain.ledger.queries import wallet_by_owner
from medici.domain.ledger.service.consume import consume
from medici.domain.ledger.service.holds import place_hold
from medici.domain.ledger.values import Memo, Reference
from medici.jobs.handlers import Registry
from medici.jobs.inline import Ran, run_due
from medici.jobs.outcomes import Done, Failed
from medici.kernel.db.database import Database
from medici.kernel.environment import Environment
from medici.settings import Settings
from tests.domain.billing.asked import AskedStore, Opened
from tests.domain.billing.books import take
from tests.domain.billing.histories import DAY, NOW, START, Line, pack

REGISTRY = Registry.of(tasks)
CONSENTED = StorePolicy(reports_use=True)
MEMO = Memo(actor="ada", reason="test")


def asked(transaction_id: str = "p1", *, number: int = 1) -> StoreNews:
    return StoreNews(
        source=Source.IOS,
        environment=Environment.PRODUCTION,
        event_id=f"asked:{transaction_id}:{number}",
        event_type="CONSUMPTION_REQUEST",
        event_time=START + DAY,
        auth_mode=AuthMode.NATIVE,
        buyer=NOBODY,
        asks_use_of=transaction_id,
        remark="a refund is asked for",
    )


async def found(session: AsyncSession, transaction_id: str = "p1") -> Use | None:
    return await use_of(
        session,
        source=Source.IOS,
        environment=Environment.PRODUCTION,
        transaction_id=transaction_id,
    )


async def run(database: Database, store: AskedStore | None) -> list[Ran]:
    stores = {Source.IOS: store} if store else {}
    return await run_due(database, REGISTRY, Opened(database=database, stores=stores), NOW)


class TestUse:
    async def test_of_a_pack_is_what_was_spent_or_held_of_it(self, shop: AsyncSession) -> None:
        await take(shop, pack("p1"))
        untouched = await found(shop)
        wallet = await wallet_by_owner(shop, owner=Owner.user("ada"))
        assert wallet is not None

        await consume(shop, wallet_id=wallet.id, amount=20, memo=MEMO, now=NOW)
        await place_hold(
            shop,
            wallet_id=wallet.id,
            amount=10,
            reference=Reference(kind="render_job", id="r1"),
            expires_at=NOW + DAY,
            memo=MEMO,
            now=NOW,
        )

        assert untouched == Use(delivered=True, share=Fraction(0), sampled=True)
        assert await found(shop) == Use(delivered=True, share=Fraction(3, 10), sampled=True)

    async def test_of_a_pack_that_nobody_has_is_nothing(self, shop: AsyncSession) -> None:
        await take(shop, pack("p1", user_id=None))

        assert await found(shop) == Use(delivered=False, share=Fraction(0), sampled=True)

    async def test_of_a_period_is_a_matter_of_time(self, shop: AsyncSession) -> None:
        await take(shop, Line().paid(0))

        assert await found(shop, "o1.0") == Use(delivered=True, share=None, sampled=True)

    async def test_of_what_was_never_booked_is_unknown(self, shop: AsyncSession) -> None:
        assert await found(shop) is None


class TestReport:
    async def test_follows_the_question_where_customers_consent(
        self, opened_shop: Database
    ) -> None:
        store = AskedStore(refundable=("p1",))
        async with opened_shop.transaction() as session:
            await take(session, pack("p1"))
            answer = await take(session, asked(), policy=CONSENTED)
            await take(session, asked(), policy=CONSENTED)

        (ran,) = await run(opened_shop, store)

        assert (answer.message, ran.outcome) == ("ignored", Done())
        assert store.used == [("p1", Use(delivered=True, share=Fraction(0), sampled=True))]

    async def test_is_not_made_without_consent(self, opened_shop: Database) -> None:
        async with opened_shop.transaction() as session:
            await take(session, pack("p1"))
            await take(session, asked())

        assert await run(opened_shop, AskedStore(refundable=("p1",))) == []

    @pytest.mark.parametrize("known", [True, False], ids=["refused by the store", "never booked"])
    async def test_that_leads_nowhere_is_given_up(self, opened_shop: Database, known: bool) -> None:
        store = AskedStore()
        async with opened_shop.transaction() as session:
            if known:
                await take(session, pack("p1"))
            await take(session, asked(), policy=CONSENTED)

        (ran,) = await run(opened_shop, store)

        assert (ran.outcome, store.used) == (Done(), [])

    async def test_waits_for_a_store_that_is_away(self, opened_shop: Database) -> None:
        async with opened_shop.transaction() as session:
            await take(session, pack("p1"))
            await take(session, asked(), policy=CONSENTED)

        (ran,) = await run(opened_shop, AskedStore(away=True))

        assert isinstance(ran.outcome, Failed)

    def test_is_what_the_setting_allows(self) -> None:
        settings = Settings(_env_file=None, app_store_consumption_consent=True)

        assert StorePolicy.of(settings).reports_use
        assert not StorePolicy.of(Settings(_env_file=None)).reports_use
