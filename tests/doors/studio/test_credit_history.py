"""A wallet's history: for its owner, for operators, as a spreadsheet, and added up."""

import csv
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from medici.domain.identity.owner import Owner
from medici.domain.ledger.views import EVERYTHING
from medici.doors.http.paging import encode_cursor
from medici.doors.studio.wallets.history_csv import ledger_csv, safe
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.studio import Studio

MINE = "/v1/credits/history/me"
LEDGER = "/v1/admin/credits/ledger"
SUMMARY = "/v1/admin/credits/summary"


@pytest.fixture
async def root(visit: Visit) -> Visitor:
    """An operator, by token."""
    visitor = await visit("", admin_api_token=SecretStr("right"))
    visitor.client.headers["X-Admin-Token"] = "right"
    return visitor


async def consume(visitor: Visitor, amount: int = 1, reason: str = "a filter", **more: Any) -> None:
    body = {"user_id": visitor.user_id, "amount": amount, "reason": reason, **more}
    answer = await visitor.post("/v1/credits/consume", json=body)
    assert answer.status_code == 200, answer.text


async def listed(visitor: Visitor, path: str = MINE, **query: Any) -> dict[str, Any]:
    answer = await visitor.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def kinds(visitor: Visitor, **query: Any) -> list[str]:
    return [each["kind"] for each in (await listed(visitor, **query))["transactions"]]


class TestOwnHistory:
    async def test_tells_where_credits_came_from_and_went(self, ada: Visitor) -> None:
        await consume(ada, 2)

        shown = await listed(ada)

        spent, given = shown["transactions"]
        daily = {"source": "plan_daily", "expires_at": "2026-11-25T00:00:00Z"}
        assert spent == {
            "id": spent["id"],
            "at": "2026-11-24T12:00:00Z",
            "kind": "consume",
            "amount": -2,
            "balance_after": 1,
            "held_change": 0,
            "held_after": 0,
            "reason": "a filter",
            "ref": None,
            "source": "plan_daily",
            "grants": [{**daily, "amount": -2}],
        }
        assert (given["kind"], given["amount"], given["reason"]) == ("grant", 3, "daily_reset")
        assert given["grants"] == [{**daily, "amount": 3}]
        assert (shown["user_id"], shown["next_cursor"]) == ("ada", None)

    async def test_tells_what_a_render_held_and_took(self, ada: Visitor, studio: Studio) -> None:
        job = (await ada.order()).json()
        await studio.finish()

        captured, held, _ = (await listed(ada))["transactions"]

        assert (held["kind"], held["amount"], held["held_change"]) == ("hold", -1, 1)
        assert (captured["kind"], captured["amount"], captured["held_change"]) == ("capture", 0, -1)
        assert captured["ref"] == f"render_job:{job['id']}"
        assert captured["grants"][0]["amount"] == -1

    async def test_comes_in_pages(self, ada: Visitor) -> None:
        for _ in range(3):
            await consume(ada)

        first = await listed(ada, limit=3)
        second = await listed(ada, limit=3, cursor=first["next_cursor"])

        pages = [[each["balance_after"] for each in p["transactions"]] for p in (first, second)]
        assert pages == [[0, 1, 2], [3]]
        assert second["next_cursor"] is None

    async def test_is_narrowed_by_kind_and_time(self, ada: Visitor, clock: Hands) -> None:
        await consume(ada)
        clock.advance(timedelta(days=1))
        await consume(ada)

        assert await kinds(ada) == ["consume", "grant", "expire", "consume", "grant"]
        assert await kinds(ada, kind=["expire", "grant"]) == ["grant", "expire", "grant"]
        assert await kinds(ada, **{"from": "2026-11-25T12:00:00Z"}) == [
            "consume",
            "grant",
            "expire",
        ]
        assert await kinds(ada, to="2026-11-25T12:00:00Z") == ["consume", "grant"]

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"kind": "theft"}, 422),
            ({"from": "2026-11-24T00:00:00"}, 422),
            ({"from": "0001-01-01T00:00:00+14:00"}, 422),
            ({"to": "9999-12-31T23:59:59-12:00"}, 422),
            ({"cursor": "x"}, 400),
            ({"cursor": encode_cursor(2**63)}, 400),
            ({"cursor": encode_cursor(-1)}, 400),
        ],
    )
    async def test_refuses_what_it_does_not_know(
        self, ada: Visitor, query: dict[str, str], status: int
    ) -> None:
        assert (await ada.get(MINE, params=query)).status_code == status

    async def test_is_empty_before_there_is_a_wallet(self, ada: Visitor) -> None:
        assert await listed(ada) == {"user_id": "ada", "transactions": [], "next_cursor": None}

    async def test_is_nobody_elses(self, ada: Visitor, bob: Visitor, root: Visitor) -> None:
        await consume(ada)

        refused = await bob.get("/v1/credits/history/ada")
        own = await listed(ada, "/v1/credits/history/ada")

        assert (refused.status_code, refused.json()["detail"]) == (403, "forbidden_user_scope")
        assert own == await listed(ada) == await listed(root, "/v1/credits/history/ada")


class TestLedger:
    async def test_shows_who_why_and_every_entry(
        self, root: Visitor, ada: Visitor, studio: Studio
    ) -> None:
        await ada.order()
        await studio.finish()

        shown = await listed(root, LEDGER, user_id="ada")

        captured, held, given = shown["transactions"]
        assert [each["seq"] for each in (captured, held, given)] == [3, 2, 1]
        assert (given["actor"], given["hold"], given["reverses"]) == ("system", None, None)
        assert given["idempotency"]["key"] == "plan_daily:2026-11-24"
        assert captured["hold"]["status"] == "captured"
        assert captured["hold"]["id"] == held["hold"]["id"]
        assert [(e["account"], e["amount"], e["source_ref"]) for e in captured["entries"]] == [
            ("held", -1, "2026-11-24"),
            ("sys:consumed", 1, "2026-11-24"),
        ]
        assert (shown["parked_at"], shown["next_cursor"]) == (None, None)

    async def test_is_empty_for_who_has_none(self, root: Visitor) -> None:
        assert await listed(root, LEDGER, user_id="zoe") == {
            "user_id": "zoe",
            "wallet_id": None,
            "parked_at": None,
            "transactions": [],
            "next_cursor": None,
        }

    async def test_needs_a_user(self, root: Visitor) -> None:
        assert (await root.get(LEDGER)).status_code == 422


class TestSpreadsheet:
    @pytest.mark.parametrize(
        ("cell", "written"),
        [
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("  =1", "'  =1"),
            ("a filter", "a filter"),
            ("", ""),
        ],
    )
    def test_calculates_nothing(self, cell: str, written: str) -> None:
        assert safe(cell) == written

    async def test_holds_every_transaction(self, root: Visitor, ada: Visitor) -> None:
        await consume(ada, reason='=HYPERLINK("evil")')
        await consume(ada, reason="one, two")
        await consume(ada)

        answer = await root.get(f"{LEDGER}.csv", params={"user_id": "ada"})

        heading, *rows = csv.reader(answer.text.splitlines())
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="ledger.csv"'
        reasons = [row[heading.index("reason")] for row in rows]
        assert reasons == ["a filter", "one, two", '\'=HYPERLINK("evil")', "daily_reset"]
        assert [row[heading.index("amount")] for row in rows] == ["-1", "-1", "-1", "3"]

    async def test_is_read_page_by_page(self, ada: Visitor, studio: Studio) -> None:
        for _ in range(3):
            await consume(ada)

        reading, owner = studio.database.reading, Owner.user("ada")
        parts = [part async for part in ledger_csv(reading, owner, EVERYTHING, page_size=2)]

        assert [len(part.splitlines()) for part in parts] == [1, 2, 2]

    async def test_of_nobody_has_a_heading(self, root: Visitor) -> None:
        answer = await root.get(f"{LEDGER}.csv", params={"user_id": "zoe"})

        assert len(answer.text.splitlines()) == 1


class TestSummary:
    async def test_adds_up_a_time_and_what_is_left(
        self, root: Visitor, ada: Visitor, bob: Visitor, clock: Hands
    ) -> None:
        await consume(ada, 2)
        await bob.balance()
        clock.advance(timedelta(days=1))
        await consume(ada, 1)

        whole = await listed(root, SUMMARY, to="2026-11-26T00:00:00Z")
        first = await listed(root, SUMMARY, to="2026-11-25T00:00:00Z")

        assert whole == {
            "since": "2026-10-27T00:00:00Z",
            "until": "2026-11-26T00:00:00Z",
            "granted": 9,
            "granted_by_source": {"plan_daily": 9},
            "consumed": 3,
            "expired": 1,
            "revoked": 0,
            "adjusted": 0,
            "written_off": 0,
            "outstanding": {"available": 5, "held": 0, "wallet_count": 2, "parked_count": 0},
        }
        assert (first["granted"], first["consumed"], first["expired"]) == (6, 2, 0)

    async def test_is_zero_at_first(self, root: Visitor) -> None:
        empty = await listed(root, SUMMARY)

        assert (empty["granted"], empty["outstanding"]["available"]) == (0, 0)
