"""What an app hands in itself, over HTTP: it becomes the caller's, and nobody else's."""

from typing import Any

import httpx
import pytest

from medici.fakes.apple.authority import Writer
from medici.fakes.faults import Fault, FaultKind, Rule
from tests.adapters.payments.google.scripts import bought
from tests.doors.studio.conftest import Visit
from tests.doors.studio.selling import (
    Selling,
    account_token,
    held,
    plan_in_effect,
    rows_kept,
    told_by_apple,
    told_by_google,
)
from tests.doors.studio.visitor import Visitor
from tests.support import apple
from tests.support.google import ACCOUNT
from tests.support.stores import PACK_CREDITS, PERIOD_CREDITS, Stores

IOS = "/v1/subscriptions/ios/transactions"
ANDROID = "/v1/subscriptions/android/purchases"
FREE_A_DAY, PRO_A_DAY = 3, 80
OWNED = (409, "purchase_owned_by_another_user")


async def hand_in(visitor: Visitor, signed: str) -> httpx.Response:
    return await visitor.post(IOS, json={"signedTransaction": signed})


async def show(visitor: Visitor, **changed: Any) -> httpx.Response:
    form = {"productId": "pro_monthly_android", "purchaseToken": "token-1", **changed}
    return await visitor.post(ANDROID, json=form)


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


class TestApple(Selling):
    async def test_a_transaction_becomes_the_callers(self, ada: Visitor, stores: Stores) -> None:
        signed = _signed(stores)

        answer = await hand_in(ada, signed)

        assert answer.status_code == 200
        said = answer.json()
        assert (said["processed"], said["message"]) == (True, "processed")
        assert (said["entitlement"]["plan_id"], said["entitlement"]["status"]) == ("pro", "active")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS

    async def test_again_and_from_apple_changes_nothing(self, ada: Visitor, stores: Stores) -> None:
        signed = _signed(stores)
        await hand_in(ada, signed)

        again = await hand_in(ada, signed)
        await told_by_apple(ada, stores.apple_tells("SUBSCRIBED", ORIGINAL, "INITIAL_BUY"))
        await stores.studio.work()

        assert again.json()["message"] == "duplicate_event"
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS

    async def test_what_came_unclaimed_is_claimed(self, ada: Visitor, stores: Stores) -> None:
        signed = _signed(stores)
        body = stores.apple_tells("SUBSCRIBED", ORIGINAL, "INITIAL_BUY")
        assert await told_by_apple(ada, body) == "unclaimed"

        await hand_in(ada, signed)

        assert await held(ada) == ("pro", "active", "ios")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS

    async def test_apple_is_asked_how_it_stands_now(self, ada: Visitor, stores: Stores) -> None:
        signed = _signed(stores)
        stores.apple.purchases[ORIGINAL].status = 2  # meanwhile it has ended
        stores.pass_time(minutes=1)

        await hand_in(ada, signed)
        await stores.studio.work()

        assert await plan_in_effect(ada) == "free"

    async def test_a_pack(self, ada: Visitor, stores: Stores) -> None:
        before = await ada.balance()
        signed = _signed(stores, productId="pack_ios", type="Consumable")
        stores.apple.purchases[ORIGINAL].status = None

        answer = await hand_in(ada, signed)

        assert answer.json()["message"] == "processed"
        assert await ada.balance() == before + PACK_CREDITS

    async def test_a_pack_that_somebody_had_is_not_had_twice(
        self, ada: Visitor, bob: Visitor, stores: Stores
    ) -> None:
        signed = _signed(stores, productId="pack_ios", type="Consumable")
        await hand_in(ada, signed)

        assert told(await hand_in(bob, signed)) == OWNED
        assert await bob.balance() == FREE_A_DAY

    @pytest.mark.parametrize(
        "forge",
        [
            lambda signed: "a.b.c",
            lambda signed: signed[:-1],
            lambda signed: signed.rpartition(".")[0] + ".",
            lambda signed: Writer(authority=apple.other_authority()).transaction(
                apple.NOW, **apple.bought()
            ),
            lambda signed: apple.writer(bundle_id="com.example.other").transaction(
                apple.NOW, **apple.bought()
            ),
            lambda signed: apple.writer(environment="Xcode").transaction(
                apple.NOW, **apple.bought()
            ),
            lambda signed: apple.Letter().signed(),
        ],
    )
    async def test_what_apple_has_not_signed_for_us(
        self, ada: Visitor, stores: Stores, forge: Any
    ) -> None:
        answer = await hand_in(ada, forge(_signed(stores)))

        assert answer.status_code == 400
        assert answer.json()["detail"] in {"invalid_signature", "invalid_payload"}
        assert await rows_kept(stores.studio) == 0

    async def test_without_apples_settings(self, visit: Visit, stores: Stores) -> None:
        ada = await visit("ada")
        bare = stores.with_settings(apple_bundle_ids=())
        ada.app.state.resources = bare.studio.resources

        answer = await hand_in(ada, _signed(stores))

        assert told(answer) == (409, "store_not_configured")


class TestAnothers(Selling):
    """A purchase is never shared; whether it moves is a matter of policy."""

    async def test_one_that_the_store_gave_to_its_owner_stays(
        self, ada: Visitor, bob: Visitor, stores: Stores
    ) -> None:
        signed = _signed(stores, appAccountToken=await account_token(ada))
        await hand_in(ada, signed)

        assert told(await hand_in(bob, signed)) == OWNED
        assert await held(ada) == ("pro", "active", "ios")
        assert await held(bob) == ("free", "inactive", "manual")

    async def test_nor_may_another_be_the_first_to_show_it(
        self, ada: Visitor, bob: Visitor, stores: Stores
    ) -> None:
        signed = _signed(stores, appAccountToken=await account_token(ada))

        assert told(await hand_in(bob, signed)) == OWNED
        assert await rows_kept(stores.studio) == 0

    async def test_one_that_nobody_was_named_for_moves_with_its_unspent_credits(
        self, ada: Visitor, bob: Visitor, stores: Stores
    ) -> None:
        await stores.listen()
        signed = _signed(stores, appAccountToken=None)
        await hand_in(ada, signed)

        answer = await hand_in(bob, signed)

        assert answer.status_code == 200
        assert await held(bob) == ("pro", "active", "ios")
        assert await plan_in_effect(ada) == "free"
        assert await bob.balance() == PRO_A_DAY + PERIOD_CREDITS
        assert await ada.balance() == FREE_A_DAY
        assert "entitlement.transferred" in await stores.notices()

    @pytest.mark.parametrize(
        ("policy", "status"), [("keep", 409), ("transfer", 200), ("transfer_if_inactive", 409)]
    )
    async def test_the_policy_decides(
        self, visit: Visit, stores: Stores, policy: str, status: int
    ) -> None:
        ada = await visit("ada", purchase_transfer_policy=policy)
        bob = await visit("bob", purchase_transfer_policy=policy)
        signed = _signed(stores, appAccountToken=None)
        await hand_in(ada, signed)

        assert (await hand_in(bob, signed)).status_code == status

    async def test_one_that_is_over_moves_if_the_policy_says_so(
        self, visit: Visit, stores: Stores
    ) -> None:
        ada = await visit("ada", purchase_transfer_policy="transfer_if_inactive")
        bob = await visit("bob", purchase_transfer_policy="transfer_if_inactive")
        signed = _signed(stores, appAccountToken=None)
        await hand_in(ada, signed)
        stores.pass_time(days=8)

        assert (await hand_in(bob, signed)).status_code == 200


class TestGoogle(Selling):
    async def test_a_purchase_becomes_the_callers(self, ada: Visitor, stores: Stores) -> None:
        stores.play.set_subscription("token-1", bought(externalAccountIdentifiers=None))

        answer = await show(ada)

        assert answer.status_code == 200
        assert answer.json()["entitlement"]["plan_id"] == "pro"
        assert await held(ada) == ("pro", "active", "android")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS

    async def test_what_came_unclaimed_is_claimed(self, ada: Visitor, stores: Stores) -> None:
        stores.play.set_subscription("token-1", bought(externalAccountIdentifiers=None))
        await told_by_google(ada, stores.google_pushes())
        await stores.studio.work()
        assert await held(ada) == ("free", "inactive", "manual")

        await show(ada)

        assert await held(ada) == ("pro", "active", "android")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS

    async def test_anothers_stays_theirs(self, ada: Visitor, bob: Visitor, stores: Stores) -> None:
        account = {"obfuscatedExternalAccountId": await account_token(ada)}
        stores.play.set_subscription("token-1", bought(externalAccountIdentifiers=account))

        assert told(await show(bob)) == OWNED
        assert await rows_kept(stores.studio) == 0

    async def test_of_an_account_that_is_none_of_ours_is_the_callers(
        self, ada: Visitor, stores: Stores
    ) -> None:
        account = {"obfuscatedExternalAccountId": ACCOUNT}
        stores.play.set_subscription("token-1", bought(externalAccountIdentifiers=account))

        assert (await show(ada)).status_code == 200

    @pytest.mark.parametrize("token", ["token-2", "../../x", "a:b", "%2e%2e", "x" * 2_000])
    async def test_what_google_does_not_know(
        self, ada: Visitor, stores: Stores, token: str
    ) -> None:
        assert told(await show(ada, purchaseToken=token)) == (404, "purchase_not_found")

    async def test_of_another_app(self, ada: Visitor) -> None:
        answer = await show(ada, packageName="com.example.other")

        assert told(answer) == (404, "purchase_not_found")

    async def test_while_google_does_not_answer(self, ada: Visitor, stores: Stores) -> None:
        fault = Fault(kind=FaultKind.RESET_BEFORE_BODY)
        stores.play.plane.faults.set(Rule(fault=fault, operation="subscription"))

        answer = await show(ada)

        assert told(answer) == (503, "store_unavailable")
        assert await rows_kept(stores.studio) == 0

    @pytest.mark.parametrize(
        "missing", [{"google_play_service_account": None}, {"google_play_package_names": ()}]
    )
    async def test_without_googles_settings(
        self, visit: Visit, stores: Stores, missing: dict[str, Any]
    ) -> None:
        ada = await visit("ada")
        ada.app.state.resources = stores.with_settings(**missing).studio.resources

        assert told(await show(ada)) == (409, "store_not_configured")


ORIGINAL = str(apple.bought()["originalTransactionId"])


def _signed(stores: Stores, **transaction: Any) -> str:
    """Have something bought, and return what StoreKit gives the app."""
    given = {"appAccountToken": None, **transaction}
    stores.apple_sells(**given)
    claims = stores.apple.purchases[ORIGINAL].transaction
    claims = {name: value for name, value in claims.items() if value is not None}
    stores.apple.purchases[ORIGINAL].transaction = claims
    return stores.apple.signed_transaction(claims)
