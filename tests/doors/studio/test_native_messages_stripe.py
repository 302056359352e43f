"""What Stripe itself tells, over HTTP, where it can be asked for more and where it cannot."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from medici.adapters.payments.stripe.checkout import Mode, Wish
from medici.kernel.db.database import Database
from tests.doors.studio.conftest import Visit
from tests.doors.studio.selling import (
    Selling,
    held,
    plan_in_effect,
    sent,
    signed,
    told_by_stripe,
)
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support import stripe
from tests.support.stores import PACK_CREDITS, PERIOD_CREDITS, Stores, opened_stores

FREE_A_DAY, PRO_A_DAY = 3, 80


class TestWithAKey(Selling):
    async def test_a_month_bought_is_a_plan_and_credits(self, ada: Visitor, stores: Stores) -> None:
        await stores.listen()
        await _subscribe(stores)

        await told_by_stripe(ada, stores)
        await stores.studio.work()

        assert await held(ada) == ("pro", "active", "web")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS
        assert await stores.notices() == ["entitlement.activated"]

    async def test_stripe_is_asked_how_things_stand(self, ada: Visitor, stores: Stores) -> None:
        await _subscribe(stores)
        await told_by_stripe(ada, stores)
        assert stores.stripe.asked("get_subscription") == 0

        await stores.studio.work()

        assert stores.stripe.asked("get_subscription") > 0

    async def test_its_present_word_beats_a_late_event(self, ada: Visitor, stores: Stores) -> None:
        subscription_id = await _subscribe(stores)
        events = await stores.stripe.events()
        await stores.stripe.visitor.delete(f"/v1/subscriptions/{subscription_id}")
        stores.pass_time(minutes=1)

        for raw in events:  # all but the last word
            await signed(ada, stores, raw)
        assert await plan_in_effect(ada) == "pro"
        await stores.studio.work()

        assert await plan_in_effect(ada) == "free"

    async def test_a_refund_is_looked_up_and_takes_the_credits(
        self, ada: Visitor, stores: Stores
    ) -> None:
        await _subscribe(stores)
        await told_by_stripe(ada, stores)
        await stores.studio.work()
        stores.pass_time(minutes=1)
        await _give_back(stores)

        await told_by_stripe(ada, stores)
        await stores.studio.work()

        assert await ada.balance() == FREE_A_DAY
        assert await plan_in_effect(ada) == "free"

    async def test_a_renewal_brings_its_own_credits(
        self, ada: Visitor, visit: Visit, stores: Stores
    ) -> None:
        subscription_id = await _subscribe(stores)
        await told_by_stripe(ada, stores)
        await stores.studio.work()
        stores.pass_time(days=30, hours=1)
        await stores.stripe.order("advance", subscription=subscription_id)

        await told_by_stripe(ada, stores)
        await stores.studio.work()

        ada = await visit("ada")  # the token has ended meanwhile
        assert await held(ada) == ("pro", "active", "web")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS  # the old period's have ended

    async def test_a_renewal_that_fails_leaves_some_days(
        self, ada: Visitor, visit: Visit, stores: Stores
    ) -> None:
        subscription_id = await _subscribe(stores)
        await told_by_stripe(ada, stores)
        await stores.studio.work()
        stores.pass_time(days=30, hours=1)
        await stores.stripe.order("advance", subscription=subscription_id, pays=False)
        await told_by_stripe(ada, stores)
        await stores.studio.work()
        ada = await visit("ada")  # the token has ended meanwhile
        plans = [await plan_in_effect(ada)]

        stores.pass_time(days=8)
        plans.append(await plan_in_effect(ada))

        assert plans == ["pro", "free"]

    async def test_a_pack_is_credits_alone(self, ada: Visitor, stores: Stores) -> None:
        before = await ada.balance()
        await _buy(stores, "pack_web", Mode.PAYMENT)

        await told_by_stripe(ada, stores)
        await stores.studio.work()

        assert await ada.balance() == before + PACK_CREDITS
        assert await held(ada) == ("free", "inactive", "manual")

    async def test_a_pack_whose_payment_is_to_come_waits_for_it(
        self, ada: Visitor, stores: Stores
    ) -> None:
        before = await ada.balance()
        session_id = await _open(stores, "pack_web", Mode.PAYMENT)
        await stores.stripe.order(f"pay/{session_id}", delayed=True)
        await told_by_stripe(ada, stores)
        await stores.studio.work()
        assert await ada.balance() == before

        await stores.stripe.order(f"settle/{session_id}")
        await told_by_stripe(ada, stores)
        await stores.studio.work()

        assert await ada.balance() == before + PACK_CREDITS

    async def test_two_events_of_one_change_are_booked_once(
        self, ada: Visitor, stores: Stores
    ) -> None:
        stores.stripe.habits.twins = True
        await _subscribe(stores)

        await told_by_stripe(ada, stores)
        await stores.studio.work()

        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS


class TestWithoutAKey(Selling):
    """Events must do alone."""

    @pytest.fixture
    async def stores(
        self, database: Database, tmp_path: Path, clock: Hands
    ) -> AsyncIterator[Stores]:
        async with opened_stores(database, tmp_path, clock=clock) as opened:
            yield opened.with_settings(stripe_secret_key=None)

    @pytest.fixture
    async def seller(self, stores: Stores) -> Stores:
        """The same stores for somebody who has the key."""
        key = stores.stripe.visitor.headers["Authorization"].removeprefix("Bearer ")
        return stores.with_settings(stripe_secret_key=SecretStr(key))

    async def test_a_month_bought_is_a_plan_and_credits(
        self, ada: Visitor, stores: Stores, seller: Stores
    ) -> None:
        await _subscribe(seller)
        asked = stores.stripe.asked("get_subscription")

        await told_by_stripe(ada, stores)
        await stores.studio.work()

        assert await held(ada) == ("pro", "active", "web")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS
        assert stores.stripe.asked("get_subscription") == asked

    async def test_its_end_is_heard(self, ada: Visitor, stores: Stores, seller: Stores) -> None:
        subscription_id = await _subscribe(seller)
        await told_by_stripe(ada, stores)
        stores.pass_time(minutes=1)
        await stores.stripe.visitor.delete(f"/v1/subscriptions/{subscription_id}")

        await told_by_stripe(ada, stores)

        assert await plan_in_effect(ada) == "free"

    async def test_a_pack_is_credits(self, ada: Visitor, stores: Stores, seller: Stores) -> None:
        before = await ada.balance()
        await _buy(seller, "pack_web", Mode.PAYMENT)

        await told_by_stripe(ada, stores)

        assert await ada.balance() == before + PACK_CREDITS


class TestTestMode(Selling):
    async def test_an_event_of_the_test_world_counts_apart(
        self, ada: Visitor, stores: Stores
    ) -> None:
        await _subscribe(stores)
        events = [
            raw.replace(b'"livemode":true', b'"livemode":false')
            for raw in await stores.stripe.events()
        ]
        stores.stripe.plane.asked.clear()
        for raw in events:
            assert (await signed(ada, stores, raw)).status_code == 200
        await stores.studio.work()

        assert stores.stripe.asked("get_event") == 0  # our key opens the other world
        assert await plan_in_effect(ada) == "free"
        assert await ada.balance() == FREE_A_DAY
        purchases = (await ada.get("/v1/subscriptions/purchases/me")).json()
        assert [row["environment"] for row in purchases] == ["sandbox"]

    async def test_and_gives_its_plan_to_those_on_the_list(
        self, visit: Visit, stores: Stores
    ) -> None:
        ada = await visit("ada", sandbox_user_ids=("ada",))
        await _subscribe(stores)
        for raw in await stores.stripe.events():
            await signed(ada, stores, raw.replace(b'"livemode":true', b'"livemode":false'))

        assert await plan_in_effect(ada) == "pro"


class TestOddEvents(Selling):
    async def test_a_type_to_come_is_kept_and_ignored(self, ada: Visitor, stores: Stores) -> None:
        raw = stripe.event("customer.teleported", {"id": "x"})

        answer = await signed(ada, stores, raw)

        assert answer.json() == {"event_id": "evt_1", "processed": False, "message": "ignored"}

    async def test_what_is_signed_and_no_event_is_refused(
        self, ada: Visitor, stores: Stores
    ) -> None:
        answer = await sent(ada, "web-billing", b"[]", **stores.stripe_signs(b"[]"))

        assert (answer.status_code, answer.json()) == (400, {"detail": "invalid_payload"})

    async def test_a_subscription_of_no_user_is_kept_for_later(
        self, ada: Visitor, stores: Stores
    ) -> None:
        body = {
            "id": "sub_1",
            "object": "subscription",
            "status": "active",
            "customer": "cus_nobody",
            "metadata": {},
            "items": {
                "data": [
                    {
                        "price": {"id": "price_1", "lookup_key": "pro_monthly_web"},
                        "current_period_start": stripe.WHEN,
                        "current_period_end": stripe.WHEN + 2_592_000,
                    }
                ]
            },
        }
        raw = stripe.event("customer.subscription.created", body)

        assert (await signed(ada, stores, raw)).json()["message"] == "unclaimed"


async def _subscribe(stores: Stores) -> str:
    """Have ada buy a month; return the subscription."""
    paid = await _buy(stores, "pro_monthly_web", Mode.SUBSCRIPTION)
    return str(paid["subscription"])


async def _buy(stores: Stores, product_id: str, mode: Mode) -> dict[str, object]:
    session_id = await _open(stores, product_id, mode)
    paid: dict[str, object] = await stores.stripe.order(f"pay/{session_id}")
    return paid


async def _open(stores: Stores, product_id: str, mode: Mode) -> str:
    checkout = stores.studio.resources.receivers.checkout
    assert checkout is not None
    wish = Wish(
        mode=mode,
        product_id=product_id,
        user_id="ada",
        checkout_id="wcs_1",
        success_url="https://app.example/thanks",
        cancel_url="https://app.example/",
    )
    return (await checkout.create(wish, key=product_id)).id


async def _give_back(stores: Stores) -> None:
    checkout = stores.studio.resources.receivers.checkout
    assert checkout is not None
    invoices = await stores.stripe.ask("invoices")
    await checkout.refund(invoices["data"][0]["id"], key="refund-1")
