"""Paying at Stripe over HTTP: its page, what paying leads to, and the customers' own page."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from medici.domain.billing.models import Checkout
from medici.kernel.db.database import Database
from tests.doors.studio.conftest import Visit
from tests.doors.studio.selling import Selling, held, told_by_stripe
from tests.doors.studio.test_checkouts import ELSEWHERE, HOME, begin, checkouts, told
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.stores import PACK_CREDITS, PERIOD_CREDITS, Stores, opened_stores
from tests.support.studio import Studio

PORTAL = "/v1/subscriptions/web/portal-session"
PRO_A_DAY = 80


class TestStripe(Selling):
    async def test_paying_gives_the_plan_and_completes_the_checkout(
        self, ada: Visitor, stores: Stores
    ) -> None:
        said = (await begin(ada)).json()
        await _pay(said["checkout_url"])

        await told_by_stripe(ada, stores)
        await stores.studio.work()

        assert await held(ada) == ("pro", "active", "web")
        assert await ada.balance() == PRO_A_DAY + PERIOD_CREDITS
        (row,) = await checkouts(stores.studio)
        assert (row.id, row.status) == (said["session_id"], "completed")
        assert row.completed_at == stores.studio.clock()

    async def test_a_pack_gives_credits_and_completes_the_checkout(
        self, ada: Visitor, stores: Stores
    ) -> None:
        before = await ada.balance()
        said = (await begin(ada, plan_id=None, pack_id="forty")).json()
        await _pay(said["checkout_url"])

        await told_by_stripe(ada, stores)
        await stores.studio.work()

        assert await ada.balance() == before + PACK_CREDITS
        assert [row.status for row in await checkouts(stores.studio)] == ["completed"]

    async def test_stripe_sends_the_customer_back(self, ada: Visitor, stores: Stores) -> None:
        said = (await begin(ada, success_url=f"{HOME}/thanks?s={{CHECKOUT_SESSION_ID}}")).json()

        back = await _pay(said["checkout_url"])

        session_id = said["checkout_url"].rpartition("/")[2]
        assert back == f"{HOME}/thanks?s={session_id}"

    async def test_a_payment_to_come_leaves_it_open(self, ada: Visitor, stores: Stores) -> None:
        said = (await begin(ada, plan_id=None, pack_id="forty")).json()
        session_id = said["checkout_url"].rpartition("/")[2]
        statuses = []
        for order in (f"pay/{session_id}", f"settle/{session_id}"):
            await stores.stripe.order(order, **{"delayed": True} if "pay" in order else {})
            await told_by_stripe(ada, stores)
            await stores.studio.work()
            statuses += [row.status for row in await checkouts(stores.studio)]

        assert statuses == ["open", "completed"]

    async def test_one_that_ran_out_is_over(self, ada: Visitor, stores: Stores) -> None:
        said = (await begin(ada)).json()
        session_id = said["checkout_url"].rpartition("/")[2]
        await stores.stripe.visitor.post(f"/v1/checkout/sessions/{session_id}/expire")

        await told_by_stripe(ada, stores)

        assert [row.status for row in await checkouts(stores.studio)] == ["expired"]

    async def test_the_same_wish_again_opens_no_second_page(
        self, ada: Visitor, stores: Stores
    ) -> None:
        first, again = await begin(ada, "k1"), await begin(ada, "k1")

        assert again.json() == first.json()
        assert stores.stripe.asked("create_session") == 1

    async def test_a_known_customer_is_not_asked_for_anew(
        self, ada: Visitor, stores: Stores
    ) -> None:
        await _pay((await begin(ada)).json()["checkout_url"])
        await told_by_stripe(ada, stores)
        await stores.studio.work()

        await begin(ada, plan_id=None, pack_id="forty")

        customers = (await stores.stripe.ask("customers"))["data"]
        sessions = (await stores.stripe.ask("checkout/sessions"))["data"]
        assert {each["customer"] for each in sessions} == {customers[0]["id"]}

    async def test_what_stripe_does_not_sell(self, ada: Visitor, stores: Stores) -> None:
        answer = await begin(ada, plan_id="atelier")

        assert told(answer) == (404, "product_not_for_sale")
        assert await checkouts(stores.studio) == []

    async def test_the_portal_is_the_customers_own(self, ada: Visitor, stores: Stores) -> None:
        await _pay((await begin(ada)).json()["checkout_url"])
        await told_by_stripe(ada, stores)

        answer = await ada.post(PORTAL, json={"return_url": f"{HOME}/account"})

        assert answer.status_code == 200
        async with httpx.AsyncClient() as browser:
            page = await browser.get(answer.json()["url"])
        assert "Cancel at period end" in page.text
        assert f"{HOME}/account" in page.text

    async def test_the_portal_leads_back_to_our_own_origins(
        self, visit: Visit, stores: Stores
    ) -> None:
        ada = await visit("ada", allowed_origins=(HOME,))
        await _pay((await begin(ada)).json()["checkout_url"])
        await told_by_stripe(ada, stores)

        own = await ada.post(PORTAL, json={"return_url": f"{HOME}/account"})
        foreign = [told(await ada.post(PORTAL, json={"return_url": url})) for url in ELSEWHERE]

        assert own.status_code == 200
        assert foreign == [(400, "return_url_not_allowed")] * len(ELSEWHERE)

    async def test_who_has_bought_nothing_has_no_portal(self, ada: Visitor) -> None:
        answer = await ada.post(PORTAL, json={"return_url": HOME})

        assert told(answer) == (409, "portal_not_available")


class TestSilentStripe:
    @pytest.fixture
    async def stores(
        self, database: Database, tmp_path: Path, clock: Hands
    ) -> AsyncIterator[Stores]:
        async with opened_stores(database, tmp_path, clock=clock) as opened:
            yield opened.with_settings(stripe_api_base="http://127.0.0.1:9")

    @pytest.fixture
    def studio(self, stores: Stores) -> Studio:
        return stores.studio

    async def test_is_a_failure_that_may_pass(self, ada: Visitor, stores: Stores) -> None:
        answer = await begin(ada, "k1")

        assert told(answer) == (503, "store_unavailable")
        async with stores.studio.database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(Checkout)) == 0


async def _pay(url: str) -> str:
    """Press the page's button; return where it leads."""
    async with httpx.AsyncClient() as browser:
        page = await browser.get(url)
        assert page.status_code == 200
        answer = await browser.post(url, data={"pay": "1"})
    assert answer.status_code == 303
    return answer.headers["Location"]
