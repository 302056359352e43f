"""Paying on the web over HTTP: the link, Stripe's page and what it leads to, and the way back."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import select

from medici.domain.billing.models import Checkout
from medici.domain.plans.models import Plan
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
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
