"""Asking Stripe how a purchase stands, and what was missed."""

from datetime import timedelta

import pytest

from medici.adapters.payments.errors import PurchaseUnknown, StoreUnavailable
from medici.adapters.payments.news import AuthMode, Paid, PurchaseState, StoreNews
from medici.adapters.payments.store import Store
from medici.adapters.payments.stripe.errors import StripeRefused
from medici.adapters.payments.stripe.wire import API_VERSION
from medici.fakes.faults import FaultKind
from medici.kernel.environment import Environment
from tests.adapters.payments.stripe.conftest import KEY, PACK, PRO, Stage

SANDBOX = Environment.SANDBOX


async def fetched(stage: Stage, subscription_id: str) -> StoreNews:
    news = await stage.store.current(subscription_id, environment=SANDBOX, now=stage.now())
    assert news is not None
    return news


class TestCurrent:
    async def test_tells_how_a_subscription_stands_and_was_paid(self, stage: Stage) -> None:
        subscription_id = await stage.subscribe()

        news = await fetched(stage, subscription_id)

        (standing,), (payment,) = news.standings, news.payments
        assert (news.auth_mode, news.event_time) == (AuthMode.FETCHED, stage.now())
        assert (standing.state, standing.product_id) == (PurchaseState.ACTIVE, PRO)
        assert (payment.paid, payment.product_id, payment.amount_minor) == (
            Paid.PERIOD,
            PRO,
            1000,
        )
        assert payment.transaction_id == standing.transaction_id
        assert news.buyer.user_id == "ada"

    async def test_tells_of_no_payment_that_was_not_made(self, stage: Stage) -> None:
        subscription_id = await stage.subscribe()
        await stage.order("advance", pays=False)

        news = await fetched(stage, subscription_id)

        assert news.payments == ()
        assert news.standings[0].state is PurchaseState.GRACE

    async def test_has_another_name_for_every_moment(self, stage: Stage) -> None:
        subscription_id = await stage.subscribe()
        first = await fetched(stage, subscription_id)
        stage.plane.advance(timedelta(seconds=1))

        second = await fetched(stage, subscription_id)

        assert first.event_id != second.event_id

    async def test_cannot_look_into_the_other_world(self, stage: Stage) -> None:
        subscription_id = await stage.subscribe()

        news = await stage.store.current(
            subscription_id, environment=Environment.PRODUCTION, now=stage.now()
        )

        assert news is None
        assert stage.asked("get_subscription") == []

    async def test_knows_no_other_subscription(self, stage: Stage) -> None:
        with pytest.raises(PurchaseUnknown):
            await fetched(stage, "sub_nothing")

    @pytest.mark.parametrize(
        "kind",
        [FaultKind.RESET_BEFORE_BODY, FaultKind.MALFORMED_JSON, FaultKind.RATE_LIMITED],
    )
    async def test_says_when_nobody_answers(self, stage: Stage, kind: FaultKind) -> None:
        subscription_id = await stage.subscribe()
        stage.fail(kind, "get_subscription")

        with pytest.raises(StoreUnavailable):
            await fetched(stage, subscription_id)

    async def test_asks_once_more(self, stage: Stage) -> None:
        subscription_id = await stage.subscribe()
        stage.fail(FaultKind.STATUS, "get_subscription", 1, status=502)

        assert len((await fetched(stage, subscription_id)).standings) == 1

    async def test_says_that_the_key_is_wrong(self, stage: Stage) -> None:
        subscription_id = await stage.subscribe()
        stage.fail(FaultKind.AUTH, "get_subscription")

        with pytest.raises(StripeRefused, match="401"):
            await fetched(stage, subscription_id)

    async def test_asks_in_one_version_and_shows_the_key_to_nobody(self, stage: Stage) -> None:
        await fetched(stage, await stage.subscribe())

        (asked,) = stage.asked("get_subscription")
        assert asked.headers["Stripe-Version"] == API_VERSION
        assert asked.headers["Authorization"] == f"Bearer {KEY}"
        assert KEY not in repr(stage.store)

    def test_is_a_store(self, stage: Stage) -> None:
        store: Store = stage.store

        assert store is not None


class TestMissed:
    async def test_tells_everything_again(self, shaped: Stage) -> None:
        since = shaped.now()
        subscription_id = await shaped.subscribe()
        session = await shaped.buy(PACK)
        await shaped.checkout.refund(session["payment_intent"], key="one")

        told = [news async for news in shaped.store.missed(since=since, now=shaped.now())]

        payments = {each.transaction_id for news in told for each in news.payments}
        standings = {each.lineage_id for news in told for each in news.standings}
        refunds = {each.transaction_id for news in told for each in news.refunds}
        assert standings == {subscription_id}
        assert len(payments) == 2
        assert refunds == {session["payment_intent"]}
        assert {news.auth_mode for news in told} == {AuthMode.FETCHED}

    async def test_reads_every_page(self, stage: Stage) -> None:
        since, subscription_id = stage.now(), await stage.subscribe()
        for _ in range(101):
            await stage.order(
                f"set/{subscription_id}", fields={}, event="customer.subscription.updated"
            )

        told = [news async for news in stage.store.missed(since=since, now=stage.now())]

        assert len([news for news in told if news.event_type.endswith("updated")]) == 101
        assert len(stage.asked("list_events")) == 2

    async def test_goes_back_no_further_than_asked(self, stage: Stage) -> None:
        await stage.subscribe()
        stage.plane.advance(timedelta(days=2))
        since = stage.now() - timedelta(days=1)

        told = [news async for news in stage.store.missed(since=since, now=stage.now())]

        assert told == []

    async def test_asks_for_no_more_than_stripe_remembers(self, stage: Stage) -> None:
        now = stage.now()
        _ = [news async for news in stage.store.missed(since=now - timedelta(days=99), now=now)]

        (asked,) = stage.asked("list_events")
        oldest = int((now - timedelta(days=30)).timestamp())
        assert asked.query["created[gte]"] == str(oldest)


class TestAcknowledge:
    async def test_says_nothing(self, stage: Stage) -> None:
        before = len(stage.plane.asked)

        await stage.store.acknowledge("anything")

        assert len(stage.plane.asked) == before
