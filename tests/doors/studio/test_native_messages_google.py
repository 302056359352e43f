"""What Google Play itself tells, over HTTP: that something changed, and Google is asked what."""

from typing import Any

import pytest
from sqlalchemy import select

from medici.domain.inbox.models import MessageStatus, WebhookEvent
from medici.fakes.faults import Fault, FaultKind, Rule
from tests.adapters.payments.google.scripts import ORDER, bought, item
from tests.doors.studio.conftest import Visit
from tests.doors.studio.selling import (
    Selling,
    account_token,
    held,
    plan_in_effect,
    told_by_google,
)
from tests.doors.studio.visitor import Visitor
from tests.support.stores import PACK_CREDITS, PERIOD_CREDITS, Stores
from tests.support.studio import Studio

FREE_A_DAY, PRO_A_DAY = 3, 80
PENDING = "ACKNOWLEDGEMENT_STATE_PENDING"


class TestSubscriptions(Selling):
    async def test_a_month_bought_is_a_plan_and_credits(self, ada: Visitor, stores: Stores) -> None:
        await stores.listen()
        await _sell(ada, stores, acknowledgementState=PENDING)

        assert await told_by_google(ada, stores.google_pushes()) == "processed"
        assert await held(ada) == ("free", "inactive", "manual")
        assert await _statuses(stores.studio) == {"message-1": MessageStatus.RECEIVED}

        await stores.studio.work()

        assert await held(ada) == ("pro", "active", "android")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS
        assert await stores.notices() == ["entitlement.activated"]
        assert stores.play.fulfilled == ["acknowledge:pro_monthly_android:token-1"]
        assert (await _statuses(stores.studio))["message-1"] == MessageStatus.PROCESSED

    async def test_the_same_push_again_changes_nothing(self, ada: Visitor, stores: Stores) -> None:
        await _sell(ada, stores)
        push = stores.google_pushes()
        await told_by_google(ada, push)
        await stores.studio.work()

        assert await told_by_google(ada, push) == "duplicate_event"
        await stores.studio.work()

        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS

    async def test_a_change_under_another_id_is_booked_once(
        self, ada: Visitor, stores: Stores
    ) -> None:
        await _sell(ada, stores)
        for message_id in ("m1", "m2"):
            await told_by_google(ada, stores.google_pushes(message_id))
            await stores.studio.work()

        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS

    async def test_what_was_taken_survives_that_google_is_away(
        self, ada: Visitor, stores: Stores
    ) -> None:
        await _sell(ada, stores)
        fault = Fault(kind=FaultKind.RESET_BEFORE_BODY)
        stores.play.plane.faults.set(Rule(fault=fault, operation="subscription"))
        await told_by_google(ada, stores.google_pushes())
        await stores.studio.work()
        assert await held(ada) == ("free", "inactive", "manual")

        stores.play.plane.faults.set()
        await stores.studio.finish()

        assert await held(ada) == ("pro", "active", "android")

    async def test_a_full_void_takes_plan_and_credits(self, ada: Visitor, stores: Stores) -> None:
        await _bought(ada, stores)
        stores.pass_time(minutes=1)

        await told_by_google(ada, stores.google_pushes("void", **_voided(ORDER)))
        await stores.studio.work()

        assert await plan_in_effect(ada) == "free"
        assert await ada.balance() == FREE_A_DAY

    async def test_a_void_of_an_old_order_takes_its_credits_alone(
        self, ada: Visitor, stores: Stores
    ) -> None:
        await _bought(ada, stores)
        stores.pass_time(minutes=1)
        renewed = item(latestSuccessfulOrderId=f"{ORDER}..0", expiryTime="2026-12-31T12:00:00Z")
        await _sell(ada, stores, items=[renewed])
        await told_by_google(ada, stores.google_pushes("renewed"))
        await stores.studio.work()
        assert await ada.balance() == PRO_A_DAY + 2 * PERIOD_CREDITS

        stores.pass_time(minutes=1)
        await told_by_google(ada, stores.google_pushes("void", **_voided(ORDER)))
        await stores.studio.work()

        assert await held(ada) == ("pro", "active", "android")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS

    async def test_a_revoked_one_was_taken_away(self, ada: Visitor, stores: Stores) -> None:
        await _bought(ada, stores)
        stores.pass_time(minutes=1)
        over = item(expiryTime="2026-11-24T12:00:30Z", autoRenewingPlan=None)
        await _sell(ada, stores, state="EXPIRED", items=[over])

        await told_by_google(ada, stores.google_pushes("revoked", **_about(12)))
        await stores.studio.work()

        assert await plan_in_effect(ada) == "free"
        states = [row["state"] for row in await _purchases(ada)]
        assert states == ["revoked"]

    async def test_a_new_token_carries_the_old_purchase_on(
        self, ada: Visitor, stores: Stores
    ) -> None:
        await _bought(ada, stores)
        stores.pass_time(minutes=1)
        await _sell(
            ada,
            stores,
            token="token-2",
            linkedPurchaseToken="token-1",
            items=[
                item(
                    productId="atelier_monthly_android",
                    latestSuccessfulOrderId="GPA.3300-9999-2222-33333",
                )
            ],
        )
        stores.play.subscriptions["token-1"]["subscriptionState"] = "SUBSCRIPTION_STATE_EXPIRED"

        await told_by_google(ada, stores.google_pushes("new", **_about(4, token="token-2")))
        await told_by_google(ada, stores.google_pushes("old", **_about(13)))
        await stores.studio.work()

        assert await held(ada) == ("atelier", "active", "android")
        assert len(await _purchases(ada)) == 1

    async def test_a_test_of_googles_is_kept_and_ignored(
        self, ada: Visitor, stores: Stores
    ) -> None:
        push = stores.google_pushes(testNotification={"version": "1.0"})

        assert await told_by_google(ada, push) == "ignored"

    async def test_of_an_unknown_user_is_kept_for_later(self, ada: Visitor, stores: Stores) -> None:
        stores.play.set_subscription("token-1", bought())
        await told_by_google(ada, stores.google_pushes())
        await stores.studio.work()

        operator = await ada.get("/v1/admin/subscriptions/purchases", params={"unclaimed": "true"})
        assert [row["original_transaction_id"] for row in operator.json()] == ["token-1"]

    async def test_a_token_that_google_does_not_know_is_asked_for_again(
        self, ada: Visitor, stores: Stores
    ) -> None:
        await told_by_google(ada, stores.google_pushes())
        await stores.studio.work()
        await _sell(ada, stores)

        await stores.studio.finish()

        assert await held(ada) == ("pro", "active", "android")


class TestSandbox(Selling):
    async def test_a_test_purchase_counts_apart(self, ada: Visitor, stores: Stores) -> None:
        await _sell(ada, stores, testPurchase={})
        before = await ada.balance()

        await told_by_google(ada, stores.google_pushes())
        await stores.studio.work()

        assert [row["environment"] for row in await _purchases(ada)] == ["sandbox"]
        assert await plan_in_effect(ada) == "free"
        assert await ada.balance() == before

    async def test_and_gives_its_plan_to_those_on_the_list(
        self, visit: Visit, stores: Stores
    ) -> None:
        listed = stores.with_settings(sandbox_user_ids=("ada",))
        ada = await visit("ada")
        ada.app.state.resources = listed.studio.resources
        await _sell(ada, stores, testPurchase={})

        await told_by_google(ada, stores.google_pushes())
        await listed.studio.work()

        assert await plan_in_effect(ada) == "pro"


class TestPacks(Selling):
    @pytest.mark.parametrize(("state", "credits"), [("PURCHASED", PACK_CREDITS), ("PENDING", 0)])
    async def test_are_credits_once_they_are_paid(
        self, ada: Visitor, stores: Stores, state: str, credits: int
    ) -> None:
        stores.play.set_product("token-1", _pack(await account_token(ada), state))
        before = await ada.balance()

        await told_by_google(ada, stores.google_pushes(**PACK_BOUGHT))
        await stores.studio.work()

        assert await ada.balance() == before + credits
        assert stores.play.fulfilled == ["consume:pack_android:token-1"] * bool(credits)


PACK_BOUGHT: dict[str, Any] = {
    "oneTimeProductNotification": {
        "version": "1.0",
        "notificationType": 1,
        "purchaseToken": "token-1",
        "sku": "pack_android",
    }
}


def _pack(account: str, state: str) -> dict[str, Any]:
    return {
        "purchaseStateContext": {"purchaseState": state},
        "orderId": "GPA.1",
        "obfuscatedExternalAccountId": account,
        "purchaseCompletionTime": "2026-11-24T11:59:00Z",
        "acknowledgementState": PENDING,
        "productLineItem": [
            {
                "productId": "pack_android",
                "productOfferDetails": {
                    "quantity": 1,
                    "refundableQuantity": 1,
                    "consumptionState": "CONSUMPTION_STATE_YET_TO_BE_CONSUMED",
                },
            }
        ],
    }


def _about(kind: int, *, token: str = "token-1") -> dict[str, Any]:
    about = {"version": "1.0", "notificationType": kind, "purchaseToken": token}
    return {"subscriptionNotification": about}


def _voided(order_id: str) -> dict[str, Any]:
    about = {"purchaseToken": "token-1", "orderId": order_id, "productType": 1, "refundType": 1}
    return {"voidedPurchaseNotification": about}


async def _sell(ada: Visitor, stores: Stores, *, token: str = "token-1", **scripted: Any) -> None:
    account = {"obfuscatedExternalAccountId": await account_token(ada)}
    stores.play.set_subscription(token, bought(externalAccountIdentifiers=account, **scripted))


async def _bought(ada: Visitor, stores: Stores) -> None:
    await _sell(ada, stores)
    await told_by_google(ada, stores.google_pushes())
    await stores.studio.work()
    assert await held(ada) == ("pro", "active", "android")


async def _purchases(visitor: Visitor) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await visitor.get("/v1/subscriptions/purchases/me")).json()
    return found


async def _statuses(studio: Studio) -> dict[str, MessageStatus]:
    async with studio.database.reading() as session:
        rows = await session.execute(select(WebhookEvent.event_id, WebhookEvent.status))
        return {row.event_id: row.status for row in rows}
