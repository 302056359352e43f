"""Things bought once, and money that went back."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from medici.adapters.payments.errors import PurchaseUnknown, StoreUnavailable
from medici.adapters.payments.google.actions import RefundOrder
from medici.adapters.payments.news import Buyer, Paid, Payment, Refund, StoreNews
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.kernel.environment import Environment
from tests.adapters.payments.google.conftest import Play
from tests.adapters.payments.google.scripts import bought as subscribed
from tests.support.google import ACCOUNT, NOW, PACKAGE

ORDER = "GPA.3300-9999-8888-77777"
PAID_AT = datetime(2026, 11, 20, tzinfo=UTC)


def bought(state: str = "PURCHASED", **details: Any) -> dict[str, Any]:
    """Return how the token of a pack stands."""
    return {
        "purchaseStateContext": {"purchaseState": state},
        "orderId": ORDER,
        "obfuscatedExternalAccountId": ACCOUNT,
        "purchaseCompletionTime": "2026-11-20T00:00:00Z",
        "productLineItem": [
            {
                "productId": "pack_100_android",
                "productOfferDetails": {
                    "quantity": 4,
                    "refundableQuantity": 4,
                    "consumptionState": "CONSUMPTION_STATE_YET_TO_BE_CONSUMED",
                    **details,
                },
            }
        ],
    }


def voided(order: str, *, at: datetime = NOW, **more: Any) -> dict[str, Any]:
    return {
        "purchaseToken": "token-1",
        "orderId": order,
        "voidedTimeMillis": str(int(at.timestamp() * 1000)),
        "voidedSource": 0,
        "voidedReason": 7,
        **more,
    }


async def missed(play: Play, *, days: int = 7) -> list[StoreNews]:
    since, until = NOW - timedelta(days=days), NOW + timedelta(seconds=1)
    return [news async for news in play.store.missed(since=since, now=until)]


class TestPacks:
    async def test_are_paid_once_for_their_quantity(self, play: Play) -> None:
        play.script_product(**bought())

        news = await play.product()

        assert news.payments == (
            Payment(
                transaction_id=ORDER,
                product_id="pack_100_android",
                paid=Paid.ONCE,
                paid_at=PAID_AT,
                quantity=4,
                receipt=f"consume:{PACKAGE}:pack_100_android:token-1",
            ),
        )
        assert (news.standings, news.refunds) == ((), ())
        assert news.buyer == Buyer(account_token=ACCOUNT)
        assert news.environment is Environment.PRODUCTION

    @pytest.mark.parametrize("state", ["PENDING", "STATE_OF_NEXT_YEAR"])
    async def test_are_worth_nothing_before_they_are_paid(self, play: Play, state: str) -> None:
        play.script_product(**bought(state))

        news = await play.product()

        assert (news.payments, news.refunds, news.remark) == ((), (), f"the purchase is {state}")

    async def test_of_a_test_are_the_sandboxs(self, play: Play) -> None:
        play.script_product(**bought(), testPurchaseContext={"fopType": "TEST"})

        assert (await play.product()).environment is Environment.SANDBOX

    async def test_that_are_canceled_give_all_back(self, play: Play) -> None:
        play.script_product(**bought("CANCELLED"))

        news = await play.product()

        assert news.payments == ()
        assert news.refunds == (
            Refund(refund_id=f"void:{ORDER}", transaction_id=ORDER, at=NOW, reason="canceled"),
        )

    @pytest.mark.parametrize(
        ("left", "share"),
        [(3, Fraction(1, 4)), (0, Fraction(1)), (4, None), (None, None), (9, None)],
    )
    async def test_give_back_the_units_that_are_gone(
        self, play: Play, left: int | None, share: Fraction | None
    ) -> None:
        play.script_product(**bought(refundableQuantity=left))

        refunds = (await play.product()).refunds

        assert [refund.share for refund in refunds] == ([] if share is None else [share])


class TestConsuming:
    async def test_tells_google_once(self, play: Play) -> None:
        play.script_product(**bought())
        receipt = (await play.product()).payments[0].receipt
        assert receipt is not None

        await play.store.acknowledge(receipt)
        await play.store.acknowledge(receipt)

        assert play.shop.fulfilled == ["consume:pack_100_android:token-1"]
        assert (await play.product()).payments[0].receipt is None

    @pytest.mark.parametrize(
        "receipt",
        [
            "",
            "consume",
            f"consume:{PACKAGE}:pack:unknown",
            f"acknowledge:{PACKAGE}:pro:unknown",
            "consume:com.example.other:pack:token-1",
            f"consume:{PACKAGE}:..:token-1:x",
            f"refund:{PACKAGE}:pack:token-1",
        ],
    )
    async def test_of_what_is_not_ours_is_refused(self, play: Play, receipt: str) -> None:
        with pytest.raises(PurchaseUnknown):
            await play.store.acknowledge(receipt)

    async def test_fails_while_the_store_has_trouble(self, play: Play) -> None:
        play.script_product(**bought())
        fault = Fault(kind=FaultKind.STATUS, status=503)
        play.shop.plane.faults.set(Rule(operation="acknowledge", fault=fault))

        with pytest.raises(StoreUnavailable):
            await play.store.acknowledge(f"consume:{PACKAGE}:pack_100_android:token-1")


class TestRefundedOrders:
    ORDER = RefundOrder(order_id="GPA.1..3", handle=f"subscription:{PACKAGE}:token-1")

    async def test_are_told_alone(self, play: Play) -> None:
        play.script(**subscribed())

        news = await play.store.refunded(self.ORDER, at=NOW)

        assert (news.standings, news.payments) == ((), ())
        assert news.refunds == (
            Refund(refund_id="void:GPA.1..3", transaction_id="GPA.1..3", at=NOW, reason="voided"),
        )

    async def test_are_of_the_purchases_environment(self, play: Play) -> None:
        play.script(**subscribed(testPurchase={}))

        assert (await play.store.refunded(self.ORDER, at=NOW)).environment is Environment.SANDBOX

    async def test_are_real_where_the_purchase_is_forgotten(self, play: Play) -> None:
        news = await play.store.refunded(self.ORDER, at=NOW)

        assert news.environment is Environment.PRODUCTION


class TestMissed:
    async def test_are_the_payments_whose_money_went_back(self, play: Play) -> None:
        play.shop.voided += [voided(f"GPA.{number}") for number in range(250)]

        news = await missed(play)

        assert len(news) == 250
        assert news[0].refunds == (
            Refund(refund_id="void:GPA.0", transaction_id="GPA.0", at=NOW, reason="chargeback"),
        )
        assert (news[0].event_id, news[0].event_time) == ("voided:GPA.0", NOW)
        assert play.asked("voided") == 3

    async def test_begin_where_they_are_asked_to(self, play: Play) -> None:
        play.shop.voided.append(voided("GPA.1", at=NOW - timedelta(days=8)))

        assert await missed(play) == []

    async def test_go_back_no_further_than_google_remembers(self, play: Play) -> None:
        await missed(play, days=365)

        asked = next(one for one in play.shop.plane.asked if one.operation == "voided")
        oldest = datetime.fromtimestamp(int(asked.query["startTime"]) / 1000, UTC)
        assert NOW - oldest < timedelta(days=30)

    async def test_of_some_units_are_as_large_as_the_purchase_says(self, play: Play) -> None:
        play.script_product(**bought(refundableQuantity=2))
        play.shop.voided.append(voided(ORDER, voidedQuantity=2))

        (news,) = await missed(play)

        assert [refund.share for refund in news.refunds] == [Fraction(1, 2)]

    async def test_of_some_units_of_a_purchase_that_is_gone_say_nothing(self, play: Play) -> None:
        play.shop.voided.append(voided(ORDER, voidedQuantity=2))

        assert await missed(play) == []
