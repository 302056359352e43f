"""Asking the App Store, before its stand-in."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from medici.adapters.payments.apple.api import ApiKey
from medici.adapters.payments.apple.store import AppleStore
from medici.adapters.payments.errors import PurchaseUnknown, StoreUnavailable
from medici.adapters.payments.news import AuthMode, Paid, PurchaseState, StoreNews
from medici.adapters.payments.store import Use
from medici.fakes.apple.authority import milliseconds
from medici.fakes.apple.keys import AppKey
from medici.fakes.apple.shop import Purchase, Wanted
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.kernel.environment import Environment
from tests.adapters.payments.apple.conftest import AppStore
from tests.support.apple import app, bought, renewing
from tests.support.apple_altered import STRANGER

LINEAGE = "2000000000000001"
USED = Use(delivered=True, share=Fraction(1, 2), sampled=True)
PRODUCTION = Environment.PRODUCTION


def right_now() -> datetime:
    """Return the stand-in's time, which is the real one: it signs as of when it is asked."""
    return datetime.now(UTC)


def running(now: datetime, **more: Any) -> dict[str, Any]:
    """Return the claims of a month that began ten days ago."""
    start, end = now - timedelta(days=10), now + timedelta(days=20)
    return bought(
        originalPurchaseDate=milliseconds(start),
        purchaseDate=milliseconds(start),
        expiresDate=milliseconds(end),
        **more,
    )


async def current(store: AppleStore, handle: str = LINEAGE) -> StoreNews:
    news = await store.current(handle, environment=PRODUCTION, now=right_now())
    assert news is not None
    return news


async def missed(store: AppleStore, *, days: int = 1) -> list[StoreNews]:
    now = right_now() + timedelta(seconds=1)
    return [news async for news in store.missed(since=now - timedelta(days=days), now=now)]


class TestCurrent:
    async def test_is_how_it_stands_by_the_stores_word(self, app_store: AppStore) -> None:
        now = right_now()
        app_store.shop.purchases[LINEAGE] = Purchase(
            transaction=running(now), renewal=renewing(autoRenewStatus=0), status=1
        )

        news = await app_store.store.current(LINEAGE, environment=PRODUCTION, now=now)

        assert news is not None
        (standing,), (payment,) = news.standings, news.payments
        assert (news.auth_mode, news.event_time) == (AuthMode.FETCHED, now)
        assert (standing.state, standing.will_renew) == (PurchaseState.ACTIVE, False)
        assert (payment.transaction_id, payment.paid) == ("2000000000000002", Paid.PERIOD)

    async def test_tells_the_payments_that_were_missed(self, app_store: AppStore) -> None:
        now = right_now()
        past = tuple(
            bought(
                transactionId=f"past{month}",
                purchaseDate=milliseconds(now - timedelta(days=30 * month)),
                expiresDate=milliseconds(now - timedelta(days=30 * (month - 1))),
            )
            for month in range(30, 0, -1)
        )
        app_store.shop.purchases[LINEAGE] = Purchase(
            transaction=running(now), renewal=renewing(), status=1, past=past
        )

        news = await current(app_store.store)

        booked = [payment.transaction_id for payment in news.payments]
        assert booked == [f"past{month}" for month in range(30, 0, -1)] + ["2000000000000002"]
        assert len(news.standings) == 1

    async def test_gives_back_the_rest_of_an_upgraded_period(self, app_store: AppStore) -> None:
        now = right_now()
        upgraded = bought(
            transactionId="basic1",
            productId="basic_monthly_ios",
            isUpgraded=True,
            purchaseDate=milliseconds(now - timedelta(days=20)),
            expiresDate=milliseconds(now + timedelta(days=10)),
        )
        app_store.shop.purchases[LINEAGE] = Purchase(
            transaction=running(now), renewal=renewing(), status=1, past=(upgraded,)
        )

        (refund,) = (await current(app_store.store)).refunds

        assert (refund.transaction_id, refund.share) == ("basic1", Fraction(2, 3))
        assert refund.ends_access is False

    async def test_is_a_pack_where_it_was_bought_once(self, app_store: AppStore) -> None:
        app_store.shop.purchases["77"] = Purchase(
            transaction=bought(
                originalTransactionId="77", transactionId="77", type="Consumable", quantity=2
            )
        )

        news = await current(app_store.store, "77")

        assert (news.standings, news.payments[0].quantity) == ((), 2)

    @pytest.mark.parametrize("handle", ["404", "nobody", "../../evil", "a/b", ""])
    async def test_is_unknown_where_the_store_knows_nothing(
        self, app_store: AppStore, handle: str
    ) -> None:
        with pytest.raises(PurchaseUnknown):
            await current(app_store.store, handle)

    async def test_is_looked_for_in_each_of_our_apps(self, app_store: AppStore) -> None:
        now = right_now()
        app_store.shop.purchases[LINEAGE] = Purchase(transaction=running(now), status=1)
        ours = app(
            bundle_ids=("com.example.other", "com.example.medici"), environments=("Production",)
        )

        news = await current(AppleStore(ours, app_store.api()))

        assert news.standings[0].lineage_id == LINEAGE

    async def test_of_an_environment_that_is_not_accepted_is_not_asked(
        self, app_store: AppStore
    ) -> None:
        asked = app_store.store.current(LINEAGE, environment=Environment.SANDBOX, now=right_now())

        assert (await asked, app_store.shop.plane.asked) == (None, [])

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(kind=FaultKind.STATUS, status=500),
            Fault(kind=FaultKind.STATUS, status=404),
            Fault(kind=FaultKind.STATUS, status=404, body={"errorCode": 4040006}),
            Fault(kind=FaultKind.RATE_LIMITED),
            Fault(kind=FaultKind.AUTH),
            Fault(kind=FaultKind.RESET_BEFORE_BODY),
            Fault(kind=FaultKind.MALFORMED_JSON),
        ],
        ids=["500", "404 of a proxy", "404 soon known", "429", "401", "cut", "garbled"],
    )
    async def test_is_not_told_while_the_store_has_trouble(
        self, app_store: AppStore, fault: Fault
    ) -> None:
        app_store.shop.purchases[LINEAGE] = Purchase(transaction=running(right_now()), status=1)
        app_store.shop.plane.faults.set(Rule(fault=fault))

        with pytest.raises(StoreUnavailable):
            await current(app_store.store)

    async def test_needs_the_key_that_the_store_knows(self, app_store: AppStore) -> None:
        app_store.shop.purchases[LINEAGE] = Purchase(transaction=running(right_now()), status=1)

        with pytest.raises(StoreUnavailable, match="401"):
            await current(AppleStore(app(), app_store.api(key=AppKey())))

    async def test_is_believed_only_if_it_is_signed(self, app_store: AppStore) -> None:
        app_store.shop.purchases[LINEAGE] = Purchase(transaction=running(right_now()), status=1)
        app_store.shop.writer = STRANGER

        with pytest.raises(StoreUnavailable, match="not proven"):
            await current(app_store.store)


class TestMissed:
    async def test_is_told_again_under_the_same_ids(self, app_store: AppStore) -> None:
        claims = running(right_now())
        sent = [
            app_store.shop.tell(Wanted(kind="DID_RENEW", transaction=claims, status=1))
            for _ in range(45)
        ]

        news = await missed(app_store.store)

        assert [one.event_id for one in news] == [told.uuid for told in sent]
        assert {one.auth_mode for one in news} == {AuthMode.NATIVE}
        assert len(app_store.shop.plane.asked) == 3

    async def test_may_be_older_than_a_notification_that_arrives(self, app_store: AppStore) -> None:
        app_store.shop.tell(Wanted(kind="TEST", data={}, seconds_ago=40 * 86_400))

        assert [one.event_type for one in await missed(app_store.store, days=60)] == ["TEST"]

    async def test_begins_where_it_is_asked_to(self, app_store: AppStore) -> None:
        app_store.shop.tell(Wanted(kind="TEST", data={}, seconds_ago=2 * 86_400))

        assert await missed(app_store.store) == []

    async def test_passes_over_what_cannot_be_read(self, app_store: AppStore) -> None:
        app_store.shop.tell(Wanted(kind="TEST", data={"bundleId": "com.example.other"}))
        app_store.shop.tell(Wanted(kind="TEST", data={}, uuid="good"))

        assert [one.event_id for one in await missed(app_store.store)] == ["good"]

    async def test_fails_while_the_store_has_trouble(self, app_store: AppStore) -> None:
        app_store.shop.plane.faults.set(Rule(fault=Fault(kind=FaultKind.STATUS, status=503)))

        with pytest.raises(StoreUnavailable):
            await missed(app_store.store)


class TestAcknowledge:
    async def test_is_nothing_that_the_store_wants(self, app_store: AppStore) -> None:
        await app_store.store.acknowledge("anything")

        assert app_store.shop.plane.asked == []


class TestApiKey:
    def test_may_have_its_line_ends_written_out(self) -> None:
        pem = AppKey().pem.replace("\n", "\\n")

        assert ApiKey.of(issuer_id="i", key_id="k", pem=pem).key_id == "k"

    def test_is_never_shown(self) -> None:
        key = ApiKey.of(issuer_id="i", key_id="k", pem=AppKey().pem)

        assert "private" not in repr(key).lower()

    def test_must_be_one(self) -> None:
        with pytest.raises(ValueError, match="PEM"):
            ApiKey.of(issuer_id="i", key_id="k", pem="no key")


class TestReportUse:
    """What Apple hears before it decides on a refund."""

    @pytest.mark.parametrize(
        ("use", "told"),
        [
            (
                Use(delivered=True, share=Fraction(1, 3), sampled=True),
                ("DELIVERED", True, 33_333),
            ),
            (
                Use(delivered=True, share=Fraction(1), sampled=False),
                ("DELIVERED", False, 100_000),
            ),
            (
                Use(delivered=False, share=Fraction(1), sampled=False),
                ("UNDELIVERED_OTHER", False, 0),
            ),
        ],
        ids=["a third", "all", "never delivered"],
    )
    async def test_of_a_pack_is_its_share(
        self, app_store: AppStore, use: Use, told: tuple[str, bool, int]
    ) -> None:
        app_store.shop.purchases["77"] = Purchase(
            transaction=bought(originalTransactionId="77", transactionId="77", type="Consumable")
        )

        await app_store.store.report_use("77", use, environment=PRODUCTION)

        heard = app_store.shop.used["77"]
        assert heard.customer_consented
        assert (heard.delivery, heard.sample_provided, heard.percentage) == told

    async def test_of_a_period_is_left_to_the_clock(self, app_store: AppStore) -> None:
        app_store.shop.purchases[LINEAGE] = Purchase(transaction=running(right_now()), status=1)
        use = Use(delivered=True, share=None, sampled=True)

        await app_store.store.report_use("2000000000000002", use, environment=PRODUCTION)

        assert app_store.shop.used["2000000000000002"].percentage is None

    @pytest.mark.parametrize("transaction_id", ["404", "../../evil", ""])
    async def test_of_nothing_is_refused(self, app_store: AppStore, transaction_id: str) -> None:
        with pytest.raises(PurchaseUnknown):
            await app_store.store.report_use(transaction_id, USED, environment=PRODUCTION)

    async def test_is_said_of_no_environment_that_is_not_accepted(
        self, app_store: AppStore
    ) -> None:
        await app_store.store.report_use("404", USED, environment=Environment.SANDBOX)

        assert app_store.shop.plane.asked == []

    async def test_waits_for_a_store_that_is_away(self, app_store: AppStore) -> None:
        app_store.shop.plane.faults.set(Rule(fault=Fault(kind=FaultKind.STATUS, status=503)))

        with pytest.raises(StoreUnavailable):
            await app_store.store.report_use("77", USED, environment=PRODUCTION)
