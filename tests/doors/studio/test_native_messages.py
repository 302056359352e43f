"""What the App Store itself tells, over HTTP: it becomes a plan, credits and notices."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from medici.domain.billing.resets.work import TELL_NEWS
from medici.domain.ledger.models import Wallet
from medici.fakes.apple.authority import milliseconds
from medici.jobs.queue import enqueue
from medici.kernel.environment import Environment
from tests.doors.studio.conftest import Visit
from tests.doors.studio.selling import (
    Selling,
    account_token,
    held,
    plan_in_effect,
    told_by_apple,
)
from tests.doors.studio.visitor import Visitor
from tests.support import apple
from tests.support.stores import PACK_CREDITS, PERIOD_CREDITS, Stores
from tests.support.studio import Studio

FREE_A_DAY, PRO_A_DAY, ATELIER_A_DAY = 3, 80, 200
ATELIER_CREDITS = 300


class TestApple(Selling):
    async def test_a_month_bought_is_a_plan_and_credits(self, ada: Visitor, stores: Stores) -> None:
        await stores.listen()
        original = stores.apple_sells(appAccountToken=await account_token(ada))
        body = stores.apple_tells("SUBSCRIBED", original, "INITIAL_BUY")

        assert await told_by_apple(ada, body) == "processed"

        assert await held(ada) == ("pro", "active", "ios")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS
        await _tell_of_credits(stores.studio)
        assert set(await stores.notices()) == {"entitlement.activated", "credits.granted"}
        facts = [name for name, _ in await stores.studio.facts()]
        assert facts.count("subscription_activated") == 1

    async def test_the_same_notification_again_changes_nothing(
        self, ada: Visitor, stores: Stores
    ) -> None:
        original = stores.apple_sells(appAccountToken=await account_token(ada))
        body = stores.apple_tells("SUBSCRIBED", original, "INITIAL_BUY")
        await told_by_apple(ada, body)

        assert await told_by_apple(ada, body) == "duplicate_event"

        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS

    async def test_a_refund_takes_plan_and_credits(self, ada: Visitor, stores: Stores) -> None:
        original = stores.apple_sells(appAccountToken=await account_token(ada))
        await told_by_apple(ada, stores.apple_tells("SUBSCRIBED", original, "INITIAL_BUY"))
        stores.pass_time(minutes=1)
        revoked = {"revocationDate": milliseconds(stores.studio.clock()), "revocationReason": 0}
        stores.apple.purchases[original].transaction |= revoked

        assert await told_by_apple(ada, stores.apple_tells("REFUND", original)) == "processed"

        assert await plan_in_effect(ada) == "free"
        assert await ada.balance() == FREE_A_DAY

    async def test_an_upgrade_makes_us_ask_apple(self, ada: Visitor, stores: Stores) -> None:
        original = stores.apple_sells(appAccountToken=await account_token(ada))
        await told_by_apple(ada, stores.apple_tells("SUBSCRIBED", original, "INITIAL_BUY"))
        stores.pass_time(hours=1)
        upgraded = _upgrade(stores, original)

        assert await told_by_apple(ada, upgraded) == "processed"
        assert await held(ada) == ("atelier", "active", "ios")
        assert stores.apple.plane.asked == []

        await stores.studio.work()

        asked = {one.operation for one in stores.apple.plane.asked}
        assert asked == {"statuses", "history"}
        # The rest of the old month is given back: less than a quarter of it is left.
        balance = await ada.balance()
        assert balance > ATELIER_A_DAY + ATELIER_CREDITS
        assert balance < ATELIER_A_DAY + ATELIER_CREDITS + PERIOD_CREDITS

    async def test_a_pack_is_credits_alone(self, ada: Visitor, stores: Stores) -> None:
        token = await account_token(ada)
        original = stores.apple_sells(
            appAccountToken=token, productId="pack_ios", type="Consumable", quantity=2
        )
        stores.apple.purchases[original].renewal = None
        stores.apple.purchases[original].status = None
        before = await ada.balance()

        body = stores.apple_tells("ONE_TIME_CHARGE", original)

        assert await told_by_apple(ada, body) == "processed"
        assert await held(ada) == ("free", "inactive", "manual")
        assert await ada.balance() == before + 2 * PACK_CREDITS

    @pytest.mark.parametrize("consented", [True, False])
    async def test_hears_what_was_used_where_customers_consent(
        self, ada: Visitor, stores: Stores, consented: bool
    ) -> None:
        consenting = stores.with_settings(app_store_consumption_consent=consented)
        ada.app.state.resources = consenting.studio.resources
        original = stores.apple_sells(
            appAccountToken=await account_token(ada), productId="pack_ios", type="Consumable"
        )
        bought = stores.apple.purchases[original]
        bought.renewal = bought.status = None
        await told_by_apple(ada, stores.apple_tells("ONE_TIME_CHARGE", original))

        body = stores.apple_tells("CONSUMPTION_REQUEST", original)

        assert await told_by_apple(ada, body) == "ignored"
        await consenting.studio.work()
        heard = [(told.delivery, told.percentage) for told in stores.apple.used.values()]
        assert heard == ([("DELIVERED", 0)] if consented else [])

    async def test_of_an_unknown_user_is_kept_for_later(self, ada: Visitor, stores: Stores) -> None:
        original = stores.apple_sells(appAccountToken=apple.ACCOUNT)

        body = stores.apple_tells("SUBSCRIBED", original, "INITIAL_BUY")

        assert await told_by_apple(ada, body) == "unclaimed"

    async def test_of_an_unknown_product_gives_nothing(self, ada: Visitor, stores: Stores) -> None:
        original = stores.apple_sells(appAccountToken=await account_token(ada), productId="mystery")

        body = stores.apple_tells("SUBSCRIBED", original, "INITIAL_BUY")

        assert await told_by_apple(ada, body) == "unclaimed"
        assert await held(ada) == ("free", "inactive", "manual")

    @pytest.mark.parametrize("kind", ["TEST", "A_TYPE_TO_COME"])
    async def test_what_tells_nothing_is_kept_and_ignored(
        self, ada: Visitor, stores: Stores, kind: str
    ) -> None:
        wanted = apple.Letter(at=stores.studio.clock(), kind=kind).writer.notification(
            stores.studio.clock(), uuid="u-1", kind=kind, data={}
        )

        assert await told_by_apple(ada, apple.enveloped(wanted)) == "ignored"


class TestAppleSandbox(Selling):
    @pytest.mark.parametrize(
        ("policy", "users", "plan"),
        [
            ("deny", ("ada",), "free"),
            ("allowlist", (), "free"),
            ("allowlist", ("ada",), "pro"),
            ("allow", (), "pro"),
        ],
    )
    async def test_counts_for_whom_the_policy_admits(
        self, visit: Visit, stores: Stores, policy: str, users: tuple[str, ...], plan: str
    ) -> None:
        ada = await visit("ada", sandbox_purchases=policy, sandbox_user_ids=users)
        stores.apple.writer = apple.writer(environment="Sandbox")
        original = stores.apple_sells(appAccountToken=await account_token(ada))

        await told_by_apple(ada, stores.apple_tells("SUBSCRIBED", original, "INITIAL_BUY"))

        assert await plan_in_effect(ada) == plan

    async def test_credits_go_to_a_wallet_of_their_own(self, ada: Visitor, stores: Stores) -> None:
        stores.apple.writer = apple.writer(environment="Sandbox")
        original = stores.apple_sells(appAccountToken=await account_token(ada))
        before = await ada.balance()

        await told_by_apple(ada, stores.apple_tells("SUBSCRIBED", original, "INITIAL_BUY"))

        assert await ada.balance() == before
        async with stores.studio.database.reading() as session:
            found = await session.scalar(
                select(Wallet.available).where(Wallet.environment == Environment.SANDBOX)
            )
        assert found == PERIOD_CREDITS


def _upgrade(stores: Stores, original: str) -> bytes:
    """Have a dearer plan bought in the middle of the month; return what Apple tells of it."""
    now = stores.studio.clock()
    purchase = stores.apple.purchases[original]
    old = {**purchase.transaction, "isUpgraded": True, "signedDate": milliseconds(now)}
    purchase.past = (old,)
    purchase.transaction = {
        **purchase.transaction,
        "transactionId": "2000000000000009",
        "productId": "atelier_monthly_ios",
        "purchaseDate": milliseconds(now),
        "expiresDate": milliseconds(now + timedelta(days=30)),
        "price": 29990,
    }
    purchase.renewal = {
        **(purchase.renewal or {}),
        "productId": "atelier_monthly_ios",
        "autoRenewProductId": "atelier_monthly_ios",
    }
    return stores.apple_tells("DID_CHANGE_RENEWAL_PREF", original, "UPGRADE")


async def _tell_of_credits(studio: Studio) -> None:
    async with studio.database.transaction() as session:
        await enqueue(session, TELL_NEWS, args={}, now=studio.clock())
    await studio.work()
