"""Paying on the web over HTTP: the link, Stripe's page and what it leads to, and the way back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from medici.domain.billing.models import Checkout
from medici.domain.plans.models import Plan
from medici.kernel.db.database import Database
from tests.doors.studio.conftest import Visit
from tests.doors.studio.selling import Selling, held, told_by_stripe
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.stores import PACK_CREDITS, PERIOD_CREDITS, Stores, opened_stores
from tests.support.studio import Studio

BEGIN = "/v1/subscriptions/web/checkout-session"
PORTAL = "/v1/subscriptions/web/portal-session"
PRO_A_DAY = 80
HOME = "https://app.example"
ELSEWHERE = (
    "https://evil.example/",
    "https://app.example.evil.example/",
    "https://app.example@evil.example/",
    "https://app.example:8443/",
    "https://app.example\\@evil.example/",
    "http://app.example/",
    "https:evil.example",
    "https:///evil.example",
    "HTTPS://EVIL.EXAMPLE/",
)
DANGEROUS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://app.example/x",
    "//evil.example",
    "/\\evil.example",
    "evil.example",
    "",
    "https://app.example/\r\nSet-Cookie: a=b",
    "java\tscript:alert(1)",
    "https://app.example/" + "a" * 2_000,
)


def form(**changed: Any) -> dict[str, Any]:
    usual = {
        "user_id": "ada",
        "plan_id": "pro",
        "success_url": f"{HOME}/thanks",
        "cancel_url": f"{HOME}/plans",
        **changed,
    }
    return {name: value for name, value in usual.items() if value is not None}


async def begin(visitor: Visitor, key: str | None = None, **changed: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await visitor.post(BEGIN, json=form(**changed), headers=headers)


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


async def checkouts(studio: Studio) -> list[Checkout]:
    async with studio.database.reading() as session:
        return list(await session.scalars(select(Checkout).order_by(Checkout.created_at)))


class TestLink:
    """Without Stripe, another page takes the payment."""

    async def test_says_all_that_the_page_needs(self, visit: Visit, studio: Studio) -> None:
        ada = await visit("ada", web_billing_checkout_base_url="https://pay.example/start")

        answer = await begin(ada)

        assert answer.status_code == 200
        said = answer.json()
        assert set(said) == {"session_id", "checkout_url", "provider"}
        assert (said["session_id"][:4], said["provider"]) == ("wcs_", "stripe")
        url = urlsplit(said["checkout_url"])
        assert url._replace(query="").geturl() == "https://pay.example/start"
        assert parse_qsl(url.query) == [
            ("session_id", said["session_id"]),
            ("user_id", "ada"),
            ("plan_id", "pro"),
            ("product_id", "pro_monthly_web"),
            ("success_url", f"{HOME}/thanks"),
            ("cancel_url", f"{HOME}/plans"),
        ]
        (row,) = await checkouts(studio)
        assert (row.id, row.status, row.plan_id) == (said["session_id"], "open", "pro")
        assert ("checkout_started", None) in await studio.facts()

    async def test_leads_to_our_own_address_where_no_other_is_named(self, ada: Visitor) -> None:
        url = urlsplit((await begin(ada)).json()["checkout_url"])

        assert (url.netloc, url.path) == ("medici.test", "/checkout")

    async def test_two_wishes_are_two_checkouts(self, ada: Visitor, studio: Studio) -> None:
        ids = {(await begin(ada)).json()["session_id"] for _ in range(2)}

        assert len(ids) == 2

    async def test_the_same_wish_again_is_the_same_checkout(
        self, ada: Visitor, studio: Studio
    ) -> None:
        first, again = await begin(ada, "k1"), await begin(ada, "k1")

        assert again.json() == first.json()
        assert again.headers["Idempotency-Replayed"] == "true"
        assert len(await checkouts(studio)) == 1

    async def test_another_wish_under_the_same_key_is_refused(self, ada: Visitor) -> None:
        await begin(ada, "k1")

        answer = await begin(ada, "k1", success_url=f"{HOME}/other")

        assert told(answer) == (422, "idempotency_key_reused")

    async def test_keys_of_two_users_never_meet(self, ada: Visitor, bob: Visitor) -> None:
        mine = (await begin(ada, "k1")).json()["session_id"]

        assert (await begin(bob, "k1", user_id="bob")).json()["session_id"] != mine


class TestRefusals:
    @pytest.mark.parametrize("plan_id", ["nothing", "retired", "deleted"])
    async def test_what_is_not_on_sale(self, ada: Visitor, studio: Studio, plan_id: str) -> None:
        async with studio.database.transaction() as session:
            pro = await session.get_one(Plan, "pro")
            pro.is_active = False
            pro.plan_id = "retired"
        if plan_id == "deleted":
            await ada.client.delete("/v1/admin/plans/retired")

        answer = await begin(ada, plan_id=plan_id)

        assert told(answer) == (400, "plan_not_found_or_inactive")

    async def test_what_is_not_sold_on_the_web(self, ada: Visitor) -> None:
        assert told(await begin(ada, plan_id="free")) == (400, "plan_missing_web_product_id")

    async def test_an_unknown_pack(self, ada: Visitor) -> None:
        answer = await begin(ada, plan_id=None, pack_id="nothing")

        assert told(answer) == (400, "pack_not_found_or_inactive")

    @pytest.mark.parametrize("changed", [{"pack_id": "forty"}, {"plan_id": None}])
    async def test_both_or_neither(self, ada: Visitor, changed: dict[str, Any]) -> None:
        assert (await begin(ada, **changed)).status_code == 422

    async def test_a_checkout_for_somebody_else(self, ada: Visitor, studio: Studio) -> None:
        answer = await begin(ada, user_id="bob")

        assert told(answer) == (403, "forbidden_user_scope")
        assert await checkouts(studio) == []

    @pytest.mark.parametrize("field", ["success_url", "cancel_url"])
    @pytest.mark.parametrize("url", DANGEROUS)
    async def test_a_way_back_that_is_no_page(self, ada: Visitor, field: str, url: str) -> None:
        assert (await begin(ada, **{field: url})).status_code == 422

    @pytest.mark.parametrize("field", ["success_url", "cancel_url"])
    async def test_a_way_back_to_somebody_else(
        self, visit: Visit, studio: Studio, field: str
    ) -> None:
        ada = await visit("ada", allowed_origins=(HOME,))

        answers = [told(await begin(ada, **{field: url})) for url in ELSEWHERE]

        assert answers == [(400, "return_url_not_allowed")] * len(ELSEWHERE)
        assert await checkouts(studio) == []

    async def test_a_way_back_to_an_app_or_to_our_own_is_fine(self, visit: Visit) -> None:
        ada = await visit("ada", allowed_origins=(HOME,))

        answer = await begin(ada, cancel_url="homeai://plans")

        assert answer.status_code == 200


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
