"""Entitlements over HTTP: what somebody holds, why, since when, and an operator's word about it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from medici.doors.http.paging import encode_cursor
from tests.doors.studio.conftest import Visit
from tests.doors.studio.relaying import all_pages, relay
from tests.doors.studio.selling import held
from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

ENTITLEMENTS = "/v1/subscriptions/entitlements"
LISTED = "/v1/admin/subscriptions/entitlements"
OVERRIDES = "/v1/admin/subscriptions/overrides"
TOKEN = SecretStr("an operator's token")
PROOF = {"X-Admin-Token": TOKEN.get_secret_value()}
PRO_A_DAY = 80


async def why(visitor: Visitor, user_id: str = "ada") -> dict[str, Any]:
    answer = await visitor.get(f"{ENTITLEMENTS}/{user_id}/why")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def told(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["detail"]


class TestHeld:
    async def test_nothing_at_first(self, ada: Visitor) -> None:
        answer = await ada.get(f"{ENTITLEMENTS}/ada")

        assert answer.json() == {
            "user_id": "ada",
            "plan_id": "free",
            "status": "inactive",
            "source": "manual",
            "product_id": None,
            "original_transaction_id": None,
            "renews_at": None,
            "expires_at": None,
            "metadata": {},
        }

    async def test_ends_by_the_clock_before_anybody_sweeps(
        self, ada: Visitor, studio: Studio
    ) -> None:
        await relay(ada, "e1", expires_at="2026-11-24T13:00:00Z")
        seen = [await held(ada)]

        studio.clock.advance(timedelta(hours=1))
        seen.append(await held(ada))

        assert [status for _, status, _ in seen] == ["active", "expired"]
        assert (await why(ada))["entitlement"]["status"] == "expired"

    async def test_is_nobody_elses_business(self, ada: Visitor, bob: Visitor) -> None:
        await relay(ada, "e1")

        for path in ("ada", "ada/why", "ada/history", "nobody", "ADA", "%61da"):
            answer = await bob.get(f"{ENTITLEMENTS}/{path}")
            assert told(answer) == (403, "forbidden_user_scope")

    async def test_an_operator_sees_everybodys(self, visit: Visit, ada: Visitor) -> None:
        await relay(ada, "e1")
        nobody = await visit("", admin_api_token=TOKEN)

        for path in ("ada", "ada/why", "ada/history"):
            answer = await nobody.get(f"{ENTITLEMENTS}/{path}", headers=PROOF)
            assert answer.status_code == 200


class TestWhy:
    async def test_names_the_winner_and_what_decided_against_the_others(self, ada: Visitor) -> None:
        await relay(ada, "e1")
        await relay(ada, "e2", "storekit", expires_at="2026-12-01T12:00:00Z")
        await relay(ada, "e3", "google-play", status="expired")
        await relay(ada, "e4", product_id="mystery")

        found = await why(ada)

        assert found["entitlement"]["source"] == "web"
        assert (found["winner"]["source"], found["winner"]["because"]) == ("web", None)
        others = {(one["product_id"], one["because"]) for one in found["others"]}
        assert others == {
            ("pro_monthly_ios", "later_end"),
            ("pro_monthly_android", "no_access"),
            ("mystery", "plan_unknown"),
        }

    async def test_of_somebody_who_has_bought_nothing(self, ada: Visitor) -> None:
        found = await why(ada)

        assert (found["winner"], found["others"]) == (None, [])

    async def test_the_sandbox_is_named(self, ada: Visitor) -> None:
        await relay(ada, "e1", environment="sandbox")

        found = await why(ada)

        assert [one["because"] for one in found["others"]] == ["sandbox_not_admitted"]


class TestHistory:
    async def test_tells_each_change_and_its_cause(self, ada: Visitor, studio: Studio) -> None:
        await relay(ada, "e1")
        studio.clock.advance(timedelta(minutes=1))
        await relay(ada, "e2", status="expired")

        newest, first = (await ada.get(f"{ENTITLEMENTS}/ada/history")).json()

        assert (first["cause_id"], first["after"]["plan_id"]) == ("e1", "pro")
        assert (newest["cause_id"], newest["after"]["status"]) == ("e2", "expired")
        assert newest["before"]["status"] == "active"

    async def test_comes_in_pages(self, ada: Visitor, studio: Studio) -> None:
        for number in range(5):
            studio.clock.advance(timedelta(minutes=1))
            status = "expired" if number % 2 else "active"
            await relay(ada, f"e{number}", status=status)

        pages = await all_pages(ada, f"{ENTITLEMENTS}/ada/history", limit=2)

        assert [[one["cause_id"] for one in page] for page in pages] == [
            ["e4", "e3"],
            ["e2", "e1"],
            ["e0"],
        ]

    async def test_a_cursor_of_ones_own_making(self, ada: Visitor) -> None:
        for cursor in ("x", encode_cursor("x"), encode_cursor(7)):
            answer = await ada.get(f"{ENTITLEMENTS}/ada/history", params={"cursor": cursor})
            assert told(answer) == (400, "invalid_cursor")


class TestList:
    async def test_by_what_they_are(self, ada: Visitor) -> None:
        await relay(ada, "e1", user_id="a1")
        await relay(ada, "e2", "storekit", user_id="a2")
        await relay(ada, "e3", user_id="a3", status="expired")

        async def ids(**query: Any) -> list[str]:
            return [one["user_id"] for (page) in [await _listed(ada, **query)] for one in page]

        assert await ids() == ["a1", "a2", "a3"]
        assert await ids(status="active") == ["a1", "a2"]
        assert await ids(source="ios") == ["a2"]
        assert await ids(plan_id="pro", status="expired") == ["a3"]
        assert await ids(updated_since="2026-11-24T12:00:00") == ["a1", "a2", "a3"]
        assert await ids(updated_since="2026-11-24T12:00:01Z") == []

    async def test_in_pages(self, ada: Visitor) -> None:
        for number in range(5):
            await relay(ada, f"e{number}", user_id=f"a{number}")

        pages = await all_pages(ada, LISTED, limit=2)

        assert [[one["user_id"] for one in page] for page in pages] == [
            ["a0", "a1"],
            ["a2", "a3"],
            ["a4"],
        ]

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"status": "odd"}, 422),
            ({"plan_id": "a\x00b"}, 422),
            ({"updated_since": "yesterday"}, 422),
            ({"limit": 201}, 422),
            ({"cursor": "x"}, 400),
            ({"cursor": encode_cursor("a\x00b")}, 400),
            ({"cursor": encode_cursor("\ud800")}, 400),
        ],
    )
    async def test_refuses_other_questions(
        self, ada: Visitor, query: dict[str, Any], status: int
    ) -> None:
        assert (await ada.get(LISTED, params=query)).status_code == status

    async def test_is_for_operators(self, visit: Visit) -> None:
        ada = await visit("ada", admin_api_token=TOKEN)

        assert (await ada.get(LISTED)).status_code in {401, 403}


async def _listed(visitor: Visitor, **query: Any) -> list[dict[str, Any]]:
    answer = await visitor.get(LISTED, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found
