"""How a subscription's token stands, read into news."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from medici.adapters.payments.google.subscriptions import taken_away
from medici.adapters.payments.news import (
    AuthMode,
    Buyer,
    Paid,
    Payment,
    PurchaseState,
    Source,
    Standing,
    StoreNews,
)
from medici.kernel.environment import Environment
from tests.adapters.payments.google.conftest import Play
from tests.adapters.payments.google.scripts import END, ORDER, START, State, bought, item
from tests.support.google import ACCOUNT, NOW, PACKAGE


class TestWholeAnswer:
    async def test_tells_the_purchase_and_the_payment(self, play: Play) -> None:
        play.script(**bought())
        end = END + timedelta(microseconds=123456)

        news = await play.subscription()

        assert news == StoreNews(
            source=Source.ANDROID,
            environment=Environment.PRODUCTION,
            event_id=news.event_id,
            event_type="subscription.ACTIVE",
            event_time=NOW,
            auth_mode=AuthMode.FETCHED,
            buyer=Buyer(account_token=ACCOUNT),
            standings=(
                Standing(
                    lineage_id="token-1",
                    product_id="pro_monthly_android",
                    state=State.ACTIVE,
                    handle=f"subscription:{PACKAGE}:token-1",
                    started_at=START,
                    expires_at=end,
                    renews_at=end,
                    will_renew=True,
                    transaction_id=ORDER,
                    list_price_minor=1499,
                    currency="USD",
                    details={
                        "state": "SUBSCRIPTION_STATE_ACTIVE",
                        "region": "US",
                        "base_plan_id": "monthly",
                    },
                ),
            ),
            payments=(
                Payment(
                    transaction_id=ORDER,
                    product_id="pro_monthly_android",
                    paid=Paid.PERIOD,
                    paid_at=START,
                    lineage_id="token-1",
                    amount_minor=1499,
                    currency="USD",
                    period_start=START,
                    period_end=end,
                ),
            ),
        )


TRIAL: dict[str, Any] = {"offerPhase": {"freeTrial": {}}}
NOBODY_RENEWS = {"autoRenewingPlan": {"autoRenewEnabled": False}}


class TestStates:
    @pytest.mark.parametrize(
        ("google", "more", "state", "will_renew"),
        [
            ("PENDING", {"latestSuccessfulOrderId": None}, State.PENDING, False),
            ("ACTIVE", {}, State.ACTIVE, True),
            ("ACTIVE", TRIAL, State.TRIALING, True),
            ("ACTIVE", NOBODY_RENEWS, State.ACTIVE, False),
            ("ACTIVE", {"autoRenewingPlan": None, "prepaidPlan": {}}, State.ACTIVE, False),
            ("IN_GRACE_PERIOD", {}, State.GRACE, True),
            ("ON_HOLD", {}, State.BILLING_RETRY, True),
            ("PAUSED", {}, State.PAUSED, True),
            ("CANCELED", {}, State.ACTIVE, False),
            ("CANCELED", TRIAL, State.TRIALING, False),
            ("EXPIRED", {}, State.EXPIRED, False),
            ("PENDING_PURCHASE_CANCELED", {"latestSuccessfulOrderId": None}, State.EXPIRED, False),
        ],
    )
    async def test_are_ours(
        self,
        play: Play,
        google: str,
        more: dict[str, Any],
        state: PurchaseState,
        will_renew: bool,
    ) -> None:
        play.script(**bought(google, items=[item(**more)]))

        (standing,) = (await play.subscription()).standings

        assert (standing.state, standing.will_renew) == (state, will_renew)

    async def test_of_grace_end_with_the_date_that_is_moved_on(self, play: Play) -> None:
        play.script(**bought("IN_GRACE_PERIOD"))

        (standing,) = (await play.subscription()).standings

        assert standing.grace_expires_at == standing.expires_at
        assert standing.grace_expires_at is not None

    async def test_of_a_pause_say_when_it_ends(self, play: Play) -> None:
        play.script(
            **bought("PAUSED", pausedStateContext={"autoResumeTime": "2026-12-24T00:00:00Z"})
        )

        (standing,) = (await play.subscription()).standings

        assert standing.resumes_at == datetime(2026, 12, 24, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("context", "reason"),
        [
            ({"userInitiatedCancellation": {"cancelTime": "2026-11-02T00:00:00Z"}}, "user"),
            ({"systemInitiatedCancellation": {}}, "system"),
            ({"developerInitiatedCancellation": {}}, "developer"),
            ({}, None),
        ],
    )
    async def test_of_an_end_say_who_wanted_it(
        self, play: Play, context: dict[str, Any], reason: str | None
    ) -> None:
        play.script(**bought("CANCELED", canceledStateContext=context))

        (standing,) = (await play.subscription()).standings

        assert standing.cancel_reason == reason

    async def test_that_are_not_known_tell_nothing(self, play: Play) -> None:
        play.script(**bought("FROZEN"))

        news = await play.subscription()

        assert (news.standings, news.remark) == ((), "unknown state SUBSCRIPTION_STATE_FROZEN")
        assert news.event_type == "subscription.FROZEN"

    async def test_that_ended_may_have_been_taken_away(self, play: Play) -> None:
        play.script(**bought("EXPIRED"))

        news = await play.subscription()
        taken = taken_away(news)

        (standing,) = taken.standings
        assert (standing.state, standing.cancel_reason) == (State.REVOKED, "revoked")
        assert taken.event_id == f"{news.event_id}:revoked"

    async def test_that_last_are_not_taken_away(self, play: Play) -> None:
        play.script(**bought())
        news = await play.subscription()

        assert taken_away(news) == news

    async def test_a_downgrade_waits_for_the_renewal(self, play: Play) -> None:
        waiting = item(deferredItemReplacement={"productId": "basic_monthly_android"})
        play.script(**bought(items=[waiting]))

        (standing,) = (await play.subscription()).standings

        assert standing.pending_product_id == "basic_monthly_android"

    async def test_of_a_test_purchase_are_the_sandboxs(self, play: Play) -> None:
        play.script(**bought(testPurchase={}))

        assert (await play.subscription()).environment is Environment.SANDBOX


class TestPayments:
    async def test_are_keyed_by_the_order_that_was_paid_never_by_the_declined_one(
        self, play: Play
    ) -> None:
        play.script(**bought("IN_GRACE_PERIOD", latestOrderId=f"{ORDER}..0"))

        (payment,) = (await play.subscription()).payments

        assert (payment.transaction_id, payment.amount_minor) == (ORDER, None)

    async def test_of_renewals_have_orders_of_their_own(self, play: Play) -> None:
        play.script(**bought(items=[item(latestSuccessfulOrderId=f"{ORDER}..4")]))

        (payment,) = (await play.subscription()).payments

        assert (payment.transaction_id, payment.paid_at) == (f"{ORDER}..4", NOW)
        assert payment.period_start is None

    async def test_there_are_none_before_an_order_succeeded(self, play: Play) -> None:
        play.script(**bought("PENDING", items=[item(latestSuccessfulOrderId=None)]))

        assert (await play.subscription()).payments == ()

    @pytest.mark.parametrize(
        ("phase", "paid", "amount"),
        [
            ({"freeTrial": {}}, Paid.TRIAL, 0),
            ({"introductoryPrice": {}}, Paid.PERIOD, None),
            ({"prorationPeriod": {}}, Paid.PERIOD, None),
            ({"basePrice": {}}, Paid.PERIOD, 1499),
            (None, Paid.PERIOD, 1499),
        ],
    )
    async def test_name_an_amount_only_where_google_does(
        self, play: Play, phase: dict[str, Any] | None, paid: Paid, amount: int | None
    ) -> None:
        play.script(**bought(items=[item(offerPhase=phase)]))

        (payment,) = (await play.subscription()).payments

        assert (payment.paid, payment.amount_minor) == (paid, amount)

    @pytest.mark.parametrize(
        ("price", "minor"),
        [
            ({"currencyCode": "JPY", "units": "2000"}, 2000),
            ({"currencyCode": "KWD", "units": "4", "nanos": 990000000}, 4990),
            ({"currencyCode": "EUR", "nanos": 995000000}, 100),
            ({"currencyCode": "USD"}, 0),
        ],
    )
    async def test_are_minor_units_of_the_currency(
        self, play: Play, price: dict[str, Any], minor: int
    ) -> None:
        plan = {"autoRenewEnabled": True, "recurringPrice": price}
        play.script(**bought(items=[item(autoRenewingPlan=plan)]))

        assert (await play.subscription()).payments[0].amount_minor == minor

    async def test_ask_to_be_acknowledged_until_they_are(self, play: Play) -> None:
        play.script(**bought(acknowledgementState="ACKNOWLEDGEMENT_STATE_PENDING"))

        (waiting,) = (await play.subscription()).payments
        assert waiting.receipt is not None
        await play.store.acknowledge(waiting.receipt)
        (done,) = (await play.subscription()).payments

        assert play.shop.fulfilled == ["acknowledge:pro_monthly_android:token-1"]
        assert done.receipt is None

    async def test_of_several_items_are_apart(self, play: Play) -> None:
        play.script(**bought(items=[item(), item(productId="extra_android")]))

        news = await play.subscription()

        assert [one.lineage_id for one in news.standings] == ["token-1", "token-1#1"]
        assert [one.transaction_id for one in news.payments] == [ORDER, f"{ORDER}#1"]
