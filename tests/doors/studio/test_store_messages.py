"""The list of what stores sent, over HTTP, for operators."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from tests.doors.studio.conftest import Visit
from tests.doors.studio.relaying import all_pages, relay
from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

MESSAGES = "/v1/admin/webhook-events"
NOBODYS = UUID(int=7)
TOKEN = SecretStr("an operator's token")


class TestMessages:
    async def test_say_what_proved_them_and_what_became_of_them(
        self, visit: Visit, ada: Visitor
    ) -> None:
        await relay(ada, "e1")
        secret = SecretStr("s1")
        guarded = await visit("", web_billing_webhook_secret=secret)
        guarded.client.headers["X-Webhook-Secret"] = "s1"
        await relay(guarded, "e2", product_id="mystery")
        await relay(guarded, "e3", status="frozen")

        found = (await ada.get(MESSAGES)).json()

        assert [(one["event_id"], one["auth_mode"], one["status"]) for one in found] == [
            ("e3", "relay", "ignored"),
            ("e2", "relay", "unclaimed"),
            ("e1", "open", "processed"),
        ]

    async def test_are_found_by_what_they_are(self, ada: Visitor, studio: Studio) -> None:
        await relay(ada, "e1")
        studio.clock.advance(timedelta(hours=1))
        await relay(ada, "e2", "storekit", environment="sandbox")
        await relay(ada, "e3", status="frozen")

        async def ids(**query: Any) -> list[str]:
            answer = await ada.get(MESSAGES, params=query)
            assert answer.status_code == 200, answer.text
            return [one["event_id"] for one in answer.json()]

        assert await ids() == ["e3", "e2", "e1"]
        assert await ids(source="ios") == ["e2"]
        assert await ids(environment="sandbox") == ["e2"]
        assert await ids(status="ignored") == ["e3"]
        assert await ids(event_id="e1") == ["e1"]
        assert await ids(event_type="none such") == []
        assert await ids(since="2026-11-24T12:30:00Z") == ["e3", "e2"]
        assert await ids(until="2026-11-24T12:30:00") == ["e1"]

    async def test_come_in_pages(self, ada: Visitor) -> None:
        for number in range(5):
            await relay(ada, f"e{number}")

        pages = await all_pages(ada, MESSAGES, limit=2)

        ids = [[one["event_id"] for one in page] for page in pages]
        assert ids == [["e4", "e3"], ["e2", "e1"], ["e0"]]

    async def test_one_in_full_shows_what_it_told(self, ada: Visitor) -> None:
        await relay(ada, "e1", original_transaction_id="o1")
        (message,) = (await ada.get(MESSAGES)).json()

        found = (await ada.get(f"{MESSAGES}/{message['id']}")).json()

        assert found["message"] == message
        assert found["told"]["buyer"]["user_id"] == "ada"
        assert [one["lineage_id"] for one in found["told"]["standings"]] == ["o1"]

    async def test_none_of_that_id(self, ada: Visitor) -> None:
        answer = await ada.get(f"{MESSAGES}/{NOBODYS}")

        assert (answer.status_code, answer.json()) == (404, {"detail": "message_not_found"})

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"source": "elsewhere"}, 422),
            ({"event_id": "a\x00b"}, 422),
            ({"event_type": "a\x00b"}, 422),
            ({"since": "yesterday"}, 422),
            ({"cursor": "x"}, 400),
        ],
    )
    async def test_refuse_other_questions(
        self, ada: Visitor, query: dict[str, Any], status: int
    ) -> None:
        assert (await ada.get(MESSAGES, params=query)).status_code == status

    @pytest.mark.parametrize("path", [MESSAGES, f"{MESSAGES}/{NOBODYS}"])
    async def test_are_for_operators(self, visit: Visit, path: str) -> None:
        ada = await visit("ada", admin_api_token=TOKEN)

        assert (await ada.get(path)).status_code in {401, 403}
