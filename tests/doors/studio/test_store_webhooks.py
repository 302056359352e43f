"""What relays of stores tell, over HTTP: believed with proof, once, and answered with success."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from medici.domain.billing.models import StoreTransaction
from medici.domain.inbox.models import WebhookEvent
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

ROUTES = ("storekit", "google-play", "web-billing")
PRODUCTS = {
    "storekit": "pro_monthly_ios",
    "google-play": "pro_monthly_android",
    "web-billing": "pro_monthly_web",
}
KEYS = SecretStr("A" * 43)  # production wants some
SOURCES = {"storekit": "ios", "google-play": "android", "web-billing": "web"}


def message(route: str = "web-billing", **said: Any) -> dict[str, Any]:
    return {"event_id": "e1", "user_id": "ada", "product_id": PRODUCTS[route], **said}


async def held(visitor: Visitor) -> tuple[str, str, str]:
    answer = await visitor.get(f"/v1/subscriptions/entitlements/{visitor.user_id}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found["plan_id"], found["status"], found["source"]


class TestRelay:
    @pytest.mark.parametrize("route", ROUTES)
    async def test_an_active_purchase_gives_its_plan(self, ada: Visitor, route: str) -> None:
        answer = await ada.post(f"/v1/webhooks/{route}", json=message(route))

        assert answer.status_code == 200
        assert answer.json() == {"event_id": "e1", "processed": True, "message": "processed"}
        assert await held(ada) == ("pro", "active", SOURCES[route])

    async def test_the_same_message_again_changes_nothing(self, ada: Visitor) -> None:
        await ada.post("/v1/webhooks/web-billing", json=message())

        again = await ada.post("/v1/webhooks/web-billing", json=message())

        assert again.json() == {"event_id": "e1", "processed": False, "message": "duplicate_event"}

    async def test_another_body_under_the_same_id_is_not_believed(self, ada: Visitor) -> None:
        await ada.post("/v1/webhooks/web-billing", json=message())

        other = await ada.post("/v1/webhooks/web-billing", json=message(status="expired"))

        assert other.json()["message"] == "duplicate_event"
        assert await held(ada) == ("pro", "active", "web")

    async def test_ids_of_different_stores_never_collide(self, ada: Visitor) -> None:
        for route in ROUTES:
            answer = await ada.post(f"/v1/webhooks/{route}", json=message(route))

            assert answer.json()["message"] == "processed"

    async def test_many_copies_at_once_have_one_effect(self, ada: Visitor, studio: Studio) -> None:
        body = message(original_transaction_id="o1", metadata={"transaction_id": "t1"})

        answers = await asyncio.gather(
            *(ada.post("/v1/webhooks/web-billing", json=body) for _ in range(20))
        )

        assert {answer.status_code for answer in answers} == {200}
        told = sorted(answer.json()["message"] for answer in answers)
        assert told == ["duplicate_event"] * 19 + ["processed"]
        async with studio.database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(WebhookEvent)) == 1
            assert await session.scalar(select(func.count()).select_from(StoreTransaction)) == 1

    async def test_another_id_for_the_same_payment_books_nothing_twice(
        self, ada: Visitor, studio: Studio
    ) -> None:
        paid: dict[str, Any] = {
            "original_transaction_id": "o1",
            "metadata": {"transaction_id": "t1"},
        }
        for event_id in ("e1", "e2"):
            await ada.post("/v1/webhooks/web-billing", json=message(event_id=event_id, **paid))

        async with studio.database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(StoreTransaction)) == 1

    async def test_an_unseen_user_is_made(self, ada: Visitor, visit: Visit) -> None:
        await ada.post("/v1/webhooks/web-billing", json=message(user_id="zoe"))

        assert await held(await visit("zoe")) == ("pro", "active", "web")

    async def test_an_unknown_product_is_kept_and_gives_nothing(self, ada: Visitor) -> None:
        body = message(product_id="mystery")

        answer = await ada.post("/v1/webhooks/web-billing", json=body)

        assert (answer.status_code, answer.json()["message"]) == (200, "unclaimed")
        assert (await held(ada))[0] == "free"

    async def test_an_unknown_status_is_kept_and_ignored(self, ada: Visitor) -> None:
        answer = await ada.post("/v1/webhooks/web-billing", json=message(status="frozen"))

        assert (answer.status_code, answer.json()["message"]) == (200, "ignored")

    async def test_older_word_is_stale(self, ada: Visitor) -> None:
        await ada.post("/v1/webhooks/web-billing", json=message())
        old = message(event_id="e0", status="expired", occurred_at="2026-11-01T00:00:00Z")

        answer = await ada.post("/v1/webhooks/web-billing", json=old)

        assert answer.json()["message"] == "stale_event"
        assert await held(ada) == ("pro", "active", "web")

    async def test_what_is_no_message_is_refused(self, ada: Visitor) -> None:
        answer = await ada.post("/v1/webhooks/web-billing", content=b"{")

        assert (answer.status_code, answer.json()) == (400, {"detail": "invalid_payload"})


class TestReconciliation:
    """The three sentences that clients rely on."""

    async def test_a_purchase_outlives_the_end_of_another(self, ada: Visitor) -> None:
        await ada.post("/v1/webhooks/web-billing", json=message())

        ended = message("google-play", status="expired")
        answer = await ada.post("/v1/webhooks/google-play", json=ended)

        assert answer.json()["processed"] is True
        assert await held(ada) == ("pro", "active", "web")

    async def test_of_equal_prices_the_later_end_counts(self, ada: Visitor) -> None:
        await ada.post("/v1/webhooks/web-billing", json=message())

        longer = message("storekit", renews_at="2026-12-24T12:00:00Z")
        await ada.post("/v1/webhooks/storekit", json=longer)

        assert await held(ada) == ("pro", "active", "ios")

    async def test_the_end_of_a_purchase_in_its_own_store_ends_it(self, ada: Visitor) -> None:
        await ada.post("/v1/webhooks/web-billing", json=message())

        await ada.post("/v1/webhooks/web-billing", json=message(event_id="e2", status="expired"))

        assert await held(ada) == ("pro", "expired", "web")
        profile = (await ada.get("/v1/profile/overview/me")).json()
        assert profile["effective_plan"]["plan_id"] == "free"

    async def test_canceled_is_paid_until_its_end(self, ada: Visitor) -> None:
        await ada.post("/v1/webhooks/web-billing", json=message())
        canceled = message(event_id="e2", status="canceled", expires_at="2026-12-24T12:00:00Z")

        await ada.post("/v1/webhooks/web-billing", json=canceled)

        profile = (await ada.get("/v1/profile/overview/me")).json()
        assert profile["effective_plan"]["plan_id"] == "pro"


class TestProof:
    SECRET = SecretStr("s1,s2")

    @pytest.mark.parametrize("app_env", ["development", "production"])
    @pytest.mark.parametrize(
        "headers", [{}, {"X-Webhook-Secret": "s"}, {"Authorization": "Bearer nope"}]
    )
    async def test_a_configured_secret_is_asked_for(
        self, visit: Visit, app_env: str, headers: dict[str, str]
    ) -> None:
        nobody = await visit(
            "", app_env=app_env, encryption_keys=KEYS, web_billing_webhook_secret=self.SECRET
        )

        answer = await nobody.post("/v1/webhooks/web-billing", json=message(), headers=headers)

        assert (answer.status_code, answer.json()) == (401, {"detail": "unauthorized"})

    @pytest.mark.parametrize("secret", ["s1", "s2"])
    async def test_either_of_two_secrets_passes(self, visit: Visit, secret: str) -> None:
        nobody = await visit(
            "", app_env="production", encryption_keys=KEYS, web_billing_webhook_secret=self.SECRET
        )

        answer = await nobody.post(
            "/v1/webhooks/web-billing", json=message(), headers={"X-Webhook-Secret": secret}
        )

        assert answer.json()["message"] == "processed"

    @pytest.mark.parametrize("route", ROUTES)
    async def test_production_without_a_secret_takes_nothing(
        self, visit: Visit, route: str
    ) -> None:
        nobody = await visit("", app_env="production", encryption_keys=KEYS)

        answer = await nobody.post(f"/v1/webhooks/{route}", json=message(route))

        assert (answer.status_code, answer.json()) == (
            401,
            {"detail": "webhook_auth_not_configured"},
        )

    async def test_the_secret_is_asked_for_before_the_body_is_judged(self, visit: Visit) -> None:
        nobody = await visit("", web_billing_webhook_secret=self.SECRET)

        answer = await nobody.post("/v1/webhooks/web-billing", content=b"{")

        assert answer.status_code == 401

    async def test_relays_can_be_switched_off(self, visit: Visit) -> None:
        nobody = await visit("", webhook_relay_enabled=False)

        answer = await nobody.post("/v1/webhooks/web-billing", json=message())

        assert (answer.status_code, answer.json()) == (403, {"detail": "webhook_relay_disabled"})
