"""Purchases and payments over HTTP: one's own, and for operators everybody's."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from tests.doors.studio.conftest import Visit
from tests.doors.studio.relaying import all_pages, relay
from tests.doors.studio.visitor import Visitor

OWN, OWN_PAID = "/v1/subscriptions/purchases/me", "/v1/subscriptions/transactions/me"
ALL, ALL_PAID = "/v1/admin/subscriptions/purchases", "/v1/admin/subscriptions/transactions"
NOBODYS = UUID(int=7)
TOKEN = SecretStr("an operator's token")


async def paid(visitor: Visitor, number: int, **said: Any) -> None:
    """Tell of a paid month of a purchase of its own."""
    await relay(
        visitor,
        f"e{number}",
        original_transaction_id=f"o{number}",
        metadata={"transaction_id": f"t{number}"},
        **said,
    )


class TestOwn:
    async def test_are_seen_by_their_buyer_alone(self, ada: Visitor, bob: Visitor) -> None:
        await paid(ada, 1)

        (purchase,) = (await ada.get(OWN)).json()
        (payment,) = (await ada.get(OWN_PAID)).json()

        assert (purchase["original_transaction_id"], purchase["state"]) == ("o1", "active")
        assert (payment["transaction_id"], payment["plan_id"]) == ("t1", "pro")
        assert (await bob.get(OWN)).json() == []
        assert (await bob.get(OWN_PAID)).json() == []

    async def test_no_query_leads_to_anothers(self, ada: Visitor, bob: Visitor) -> None:
        await paid(ada, 1)

        for path in (OWN, OWN_PAID):
            assert (await bob.get(path, params={"user_id": "ada"})).json() == []

    @pytest.mark.parametrize("path", [OWN, OWN_PAID])
    async def test_come_in_pages(self, ada: Visitor, path: str) -> None:
        for number in range(5):
            await paid(ada, number)

        pages = await all_pages(ada, path, limit=2)

        ids = [[one["original_transaction_id"] for one in page] for page in pages]
        assert ids == [["o4", "o3"], ["o2", "o1"], ["o0"]]

    async def test_want_a_token(self, visit: Visit) -> None:
        nobody = await visit("")

        assert (await nobody.get(OWN)).status_code == 401
        assert (await nobody.get(OWN_PAID)).status_code == 401


class TestEverybodys:
    async def test_are_found_by_what_they_are(self, ada: Visitor) -> None:
        await paid(ada, 1)
        await paid(ada, 2, user_id="bob", status="expired")
        await paid(ada, 3, route="storekit", user_id="zoe", environment="sandbox")
        await paid(ada, 4, product_id="mystery")

        async def lineages(**query: Any) -> list[str]:
            answer = await ada.get(ALL, params=query)
            assert answer.status_code == 200, answer.text
            return sorted(one["original_transaction_id"] for one in answer.json())

        assert await lineages() == ["o1", "o2", "o3", "o4"]
        assert await lineages(user_id="bob") == ["o2"]
        assert await lineages(source="ios") == ["o3"]
        assert await lineages(environment="sandbox") == ["o3"]
        assert await lineages(state="expired") == ["o2"]
        assert await lineages(plan_id="pro", user_id="ada") == ["o1"]
        assert await lineages(original_transaction_id="o4") == ["o4"]
        assert await lineages(unclaimed=True) == []

    @pytest.mark.parametrize("path", [ALL, ALL_PAID])
    async def test_come_in_pages(self, ada: Visitor, path: str) -> None:
        for number in range(3):
            await paid(ada, number, user_id=f"u{number}")

        pages = await all_pages(ada, path, limit=2)

        assert [[one["user_id"] for one in page] for page in pages] == [["u2", "u1"], ["u0"]]

    async def test_payments_of_one_user(self, ada: Visitor) -> None:
        await paid(ada, 1)
        await paid(ada, 2, user_id="bob")

        found = (await ada.get(ALL_PAID, params={"user_id": "bob"})).json()

        assert [one["transaction_id"] for one in found] == ["t2"]

    async def test_one_in_full(self, ada: Visitor) -> None:
        await paid(ada, 1)
        await relay(ada, "e2", original_transaction_id="o1", status="expired")
        (purchase,) = (await ada.get(ALL)).json()

        found = (await ada.get(f"{ALL}/{purchase['id']}")).json()

        assert found["purchase"] == purchase
        assert [one["transaction_id"] for one in found["transactions"]] == ["t1"]
        assert [(one["event_id"], one["auth_mode"]) for one in found["told"]] == [
            ("e1", "open"),
            ("e2", "open"),
        ]

    async def test_none_of_that_id(self, ada: Visitor) -> None:
        answer = await ada.get(f"{ALL}/{NOBODYS}")

        assert (answer.status_code, answer.json()) == (404, {"detail": "purchase_not_found"})
        assert (await ada.get(f"{ALL}/x")).status_code == 422

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"user_id": "a\x00b"}, 422),
            ({"original_transaction_id": "a\x00b"}, 422),
            ({"plan_id": "a\x00b"}, 422),
            ({"source": "elsewhere"}, 422),
            ({"state": "odd"}, 422),
            ({"limit": 0}, 422),
            ({"cursor": "x"}, 400),
        ],
    )
    async def test_refuse_other_questions(
        self, ada: Visitor, query: dict[str, Any], status: int
    ) -> None:
        assert (await ada.get(ALL, params=query)).status_code == status

    @pytest.mark.parametrize("path", [ALL, ALL_PAID, f"{ALL}/{NOBODYS}"])
    async def test_are_for_operators(self, visit: Visit, path: str) -> None:
        ada = await visit("ada", admin_api_token=TOKEN)

        assert (await ada.get(path)).status_code in {401, 403}
