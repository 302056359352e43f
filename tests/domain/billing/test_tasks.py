"""What billing does by itself: it asks stores, and tells them what customers have."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from medici.adapters.payments.news import (
    AuthMode,
    PurchaseState,
    Source,
    StoreNews,
)
from medici.adapters.payments.store import Store
from medici.domain.billing import tasks
from medici.domain.billing.models import Purchase, StoreTransaction
from medici.domain.billing.queries import effective_plan
from medici.domain.billing.service.store_news import ask_store
from medici.domain.billing.work import (
    ACKNOWLEDGE,
    EXPIRE_TRIALS,
    FETCH_PURCHASE,
    RECONCILE,
    REDERIVE_PLAN,
    REPORT_USE,
)
from medici.domain.identity.owner import Owner
from medici.domain.inbox.models import MessageStatus, WebhookEvent
from medici.jobs.handlers import Registry
from medici.jobs.inline import Ran, run_due
from medici.jobs.kinds import JobKind
from medici.jobs.models import Job
from medici.jobs.outcomes import Done, Failed
from medici.jobs.queue import enqueue
from medici.kernel.db.database import Database
from tests.domain.billing.asked import AskedStore, Opened
from tests.domain.billing.books import KEYS, books, hashed, take_all
from tests.domain.billing.histories import DAY, NOW, Line

REGISTRY = Registry.of(tasks)
IOS = Line()


def fetched(line: Line, number: int, state: PurchaseState, at: datetime) -> StoreNews:
    """Say what a store answers when it is asked."""
    told = line.stands(number, state, at)
    return replace(told, auth_mode=AuthMode.FETCHED, event_id=f"fetched:{told.event_id}")


async def run(
    database: Database, store: AskedStore | None = None, *, now: datetime = NOW
) -> list[Ran]:
    stores: Mapping[Source, Store] = {Source.IOS: store} if store else {}
    return await run_due(database, REGISTRY, Opened(database=database, stores=stores), now)


async def ask_for(database: Database, kind: JobKind, **args: str) -> None:
    async with database.transaction() as session:
        await enqueue(session, kind, now=NOW, args=args)


async def fetch(database: Database, handle: str = "o1") -> None:
    await ask_for(database, FETCH_PURCHASE, source="ios", environment="production", handle=handle)


async def plan_of(database: Database, user_id: str = "ada", now: datetime = NOW) -> str:
    async with database.reading() as session:
        return (await effective_plan(session, owner=Owner.user(user_id), now=now)).plan_id


class TestRegistry:
    def test_knows_every_kind(self) -> None:
        assert set(REGISTRY.kinds) == {
            ACKNOWLEDGE,
            EXPIRE_TRIALS,
            FETCH_PURCHASE,
            RECONCILE,
            REDERIVE_PLAN,
            REPORT_USE,
        }
        assert {each.kind for each in REGISTRY.schedules} == {EXPIRE_TRIALS, RECONCILE}


class TestFetchPurchase:
    async def test_takes_the_store_s_present_word(self, opened_shop: Database) -> None:
        await take_all(opened_shop, [IOS.paid(2)])
        store = AskedStore(knows={"o1": fetched(IOS, 2, PurchaseState.EXPIRED, NOW)})
        await fetch(opened_shop)

        await run(opened_shop, store)

        assert await plan_of(opened_shop) == "free"
        assert store.asked == ["o1"]

    async def test_a_burst_of_messages_is_one_question(self, opened_shop: Database) -> None:
        store = AskedStore(knows={"o1": fetched(IOS, 2, PurchaseState.ACTIVE, NOW)})
        for number in range(5):
            async with opened_shop.transaction() as session:
                news = IOS.news(f"changed-{number}", NOW)
                taken = await ask_store(
                    session, news, handle="o1", keys=KEYS, payload_hash=hashed(news), now=NOW
                )
                assert taken.message == "processed"

        await run(opened_shop, store)

        assert store.asked == ["o1"]
        assert await plan_of(opened_shop) == "pro"
        async with opened_shop.reading() as session:
            statuses = await session.scalars(select(WebhookEvent.status))
            assert set(statuses) == {MessageStatus.PROCESSED}

    async def test_what_the_store_does_not_know_is_believed_at_the_third_time(
        self, opened_shop: Database
    ) -> None:
        await take_all(opened_shop, [IOS.paid(2)])
        store = AskedStore()
        await fetch(opened_shop)

        outcomes = []
        for minutes in range(3):
            (ran,) = await run(opened_shop, store, now=NOW + minutes * DAY / 24)
            outcomes.append(type(ran.outcome))
            if ran.outcome != Done():
                assert await plan_of(opened_shop) == "pro"
                await _make_due(opened_shop)

        assert outcomes == [Failed, Failed, Done]
        assert await plan_of(opened_shop) == "free"

    async def test_without_the_store_s_settings_does_nothing(self, opened_shop: Database) -> None:
        await fetch(opened_shop)

        (ran,) = await run(opened_shop)

        assert ran.outcome == Done()


class TestAcknowledge:
    async def test_follows_the_payment_once(self, opened_shop: Database) -> None:
        payment = IOS.payment(2, receipt="receipt-1")
        bought = IOS.news(
            "bought",
            IOS.period(2)[0],
            standings=IOS.paid(2).standings,
            payments=(payment,),
        )
        again = replace(bought, event_id="again")
        store = AskedStore()

        await take_all(opened_shop, [bought, again])
        await run(opened_shop, store)

        assert store.acknowledged == ["receipt-1"]

    async def test_waits_until_it_is_known_who_has_paid(self, opened_shop: Database) -> None:
        nobody_s = Line(user_id=None)
        payment = nobody_s.payment(2, receipt="receipt-1")
        store = AskedStore()

        await take_all(opened_shop, [nobody_s.news("bought", NOW, payments=(payment,))])
        await run(opened_shop, store)

        assert store.acknowledged == []


class TestReconcile:
    @pytest.mark.parametrize("lost", range(4))
    async def test_heals_the_loss_of_any_message(self, opened_shop: Database, lost: int) -> None:
        history = [IOS.paid(1), IOS.paid(2), IOS.refunded(1), IOS.canceled(2)]
        recent = [
            replace(each, event_time=NOW - 20 * DAY + hours * DAY / 24)
            for hours, each in enumerate(history)
        ]
        await take_all(opened_shop, recent[:lost] + recent[lost + 1 :])
        store = AskedStore(told_before=recent)
        await ask_for(opened_shop, RECONCILE)

        await run(opened_shop, store)

        async with opened_shop.reading() as session:
            row = (await session.scalars(select(Purchase))).one()
            booked = await session.scalars(select(StoreTransaction.transaction_id))
            assert (row.state, row.will_renew) == (PurchaseState.ACTIVE, False)
            assert sorted(booked) == ["o1.1", "o1.2"]

    async def test_asks_about_what_should_have_been_heard_of(self, opened_shop: Database) -> None:
        silent = Line(lineage_id="silent")
        await take_all(opened_shop, [silent.paid(1)])  # ended on 31 October
        store = AskedStore(knows={"silent": fetched(silent, 2, PurchaseState.ACTIVE, NOW)})
        assert await plan_of(opened_shop) == "free"
        await ask_for(opened_shop, RECONCILE)

        await run(opened_shop, store)

        assert store.asked == ["silent"]
        assert await plan_of(opened_shop) == "pro"

    async def test_twice_changes_nothing_more(self, opened_shop: Database) -> None:
        history = [IOS.paid(2), IOS.canceled(2)]
        store = AskedStore(told_before=history)
        found = []
        for _ in range(2):
            await ask_for(opened_shop, RECONCILE)
            await run(opened_shop, store)
            async with opened_shop.reading() as session:
                found.append(await books(session))

        assert found[0] == found[1]
        assert found[0].purchases

    async def test_of_a_store_that_is_away_is_tried_again(self, opened_shop: Database) -> None:
        await ask_for(opened_shop, RECONCILE)

        (ran,) = await run(opened_shop, AskedStore(away=True))

        assert isinstance(ran.outcome, Failed)


class TestExpireTrials:
    async def test_ends_what_the_clock_has_ended(self, opened_shop: Database) -> None:
        await take_all(opened_shop, [IOS.paid(2)])
        await ask_for(opened_shop, EXPIRE_TRIALS)

        await run(opened_shop, now=NOW + 30 * DAY)

        async with opened_shop.reading() as session:
            assert [row["status"] for row in (await books(session)).entitlements] == ["expired"]


class TestRederivePlan:
    async def test_can_be_asked_for(self, opened_shop: Database) -> None:
        await ask_for(opened_shop, REDERIVE_PLAN, plan_id="pro")

        assert [ran.outcome for ran in await run(opened_shop)] == [Done()]


async def _make_due(database: Database) -> None:
    """Let a job that waits after a failure run at once."""
    async with database.transaction() as session:
        for job in await session.scalars(select(Job).where(Job.kind == FETCH_PURCHASE.name)):
            job.due_at = datetime(2020, 1, 1, tzinfo=NOW.tzinfo)
