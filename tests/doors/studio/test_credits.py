"""Credits as clients see them: looked at, spent, given by hand, and never overdrawn."""

import asyncio
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from medici.domain.events.models import Event
from medici.domain.identity.models import AuditEntry
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.studio import Studio

MIDNIGHT = "2026-11-25T00:00:00Z"
TOKEN = {"X-Admin-Token": "right"}
NOBODY: tuple[str, dict[str, str]] = ("", {})
LIVE = {"app_env": "production", "encryption_keys": SecretStr("1:" + "A" * 43)}
BY_TOKEN = {"admin_api_token": SecretStr("right")}
BY_LIST = {"admin_user_ids": ("root",)}


async def consume(visitor: Visitor, amount: int = 1, **changes: Any) -> httpx.Response:
    body = {"user_id": visitor.user_id, "amount": amount, "reason": "a filter", **changes}
    return await visitor.post("/v1/credits/consume", json=body)


async def grant(
    visitor: Visitor, amount: int = 5, headers: dict[str, str] | None = None, **changes: Any
) -> httpx.Response:
    body = {"user_id": "ada", "amount": amount, "reason": "sorry", **changes}
    return await visitor.post("/v1/credits/grant", json=body, headers=headers)


def told(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["detail"]


async def recorded(studio: Studio) -> list[tuple[str, str | None, int | None, dict[str, object]]]:
    async with studio.database.reading() as session:
        rows = await session.scalars(select(Event).order_by(Event.id))
        return [(row.name, row.user_id, row.credits, row.properties) for row in rows]


class TestBalance:
    async def test_brings_the_days_credits_once(self, ada: Visitor) -> None:
        first = await ada.get("/v1/credits/balance/ada")
        second = await ada.get("/v1/credits/balance/ada")

        assert first.json() == {
            "user_id": "ada",
            "balance": 3,
            "held": 0,
            "next_expiry": {"amount": 3, "at": MIDNIGHT},
            "grants": [
                {
                    "source": "plan_daily",
                    "amount": 3,
                    "free": 3,
                    "held": 0,
                    "expires_at": MIDNIGHT,
                }
            ],
        }
        assert second.json() == first.json()

    async def test_brings_them_anew_the_next_day(self, ada: Visitor, clock: Hands) -> None:
        await consume(ada, 2)
        clock.advance(timedelta(days=1))

        assert await ada.balance() == 3

    async def test_shows_what_is_held(self, ada: Visitor) -> None:
        await ada.order()

        seen = (await ada.get("/v1/credits/balance/ada")).json()
        assert (seen["balance"], seen["held"]) == (2, 1)

    async def test_of_somebody_else_is_not_told(self, ada: Visitor) -> None:
        known = await ada.get("/v1/credits/balance/bob")

        assert told(known) == (403, "forbidden_user_scope")


class TestConsume:
    async def test_spends(self, ada: Visitor, studio: Studio) -> None:
        spent = await consume(ada, 2, metadata={"filter": "sepia"})

        assert (spent.status_code, spent.json()) == (
            200,
            {"user_id": "ada", "balance": 1, "applied": True},
        )
        assert await studio.purse() == (1, 0)
        assert await recorded(studio) == [
            (
                "credits_consumed",
                "ada",
                2,
                {"reason": "a filter", "metadata": {"filter": "sepia"}},
            )
        ]

    async def test_refuses_what_is_not_covered(self, ada: Visitor, studio: Studio) -> None:
        refused = await consume(ada, 4)

        assert (refused.status_code, refused.json()) == (
            400,
            {"detail": "insufficient_credits", "available": 3, "needed": 4},
        )
        assert (await ada.balance(), await recorded(studio)) == (3, [])

    async def test_of_somebody_else_is_refused(self, ada: Visitor, studio: Studio) -> None:
        await studio.customer("bob", credits=5)

        refused = await consume(ada, 1, user_id="bob")

        assert told(refused) == (403, "forbidden_user_scope")
        assert await studio.purse("bob") == (5, 0)

    async def test_needs_a_token(self, visit: Visit) -> None:
        refused = await consume(await visit(""), 1, user_id="ada")

        assert told(refused) == (401, "missing_or_invalid_token")

    @pytest.mark.parametrize("amount", [0, -1, 1.5, "many", None, 10**12])
    async def test_takes_whole_positive_amounts(self, ada: Visitor, amount: object) -> None:
        refused = await consume(ada, amount=amount)  # type: ignore[arg-type]  # what is sent

        assert refused.status_code == 422
        assert await ada.balance() == 3

    async def test_happens_once_for_a_key_in_the_body(self, ada: Visitor) -> None:
        first = await consume(ada, 2, idempotency_key="filter-1")
        second = await consume(ada, 2, idempotency_key="filter-1")

        assert first.json() == {"user_id": "ada", "balance": 1, "applied": True}
        assert second.json() == {"user_id": "ada", "balance": 1, "applied": False}
        assert await ada.balance() == 1

    @pytest.mark.parametrize("changes", [{"amount": 1}, {"reason": "another filter"}])
    async def test_refuses_a_key_that_stands_for_something_else(
        self, ada: Visitor, changes: dict[str, Any]
    ) -> None:
        await consume(ada, 2, idempotency_key="filter-1")

        refused = await consume(ada, **{"amount": 2, "idempotency_key": "filter-1", **changes})

        assert told(refused) == (409, "idempotency_key_reused")
        assert await ada.balance() == 1

    async def test_keeps_the_keys_of_users_apart(self, ada: Visitor, bob: Visitor) -> None:
        await consume(ada, 2, idempotency_key="filter-1")

        assert (await consume(bob, 1, idempotency_key="filter-1")).json()["applied"]

    async def test_happens_once_for_a_key_in_the_header(self, ada: Visitor) -> None:
        body = {"user_id": "ada", "amount": 1, "reason": "a filter"}
        key = {"Idempotency-Key": "tap-1"}

        first = await ada.post("/v1/credits/consume", json=body, headers=key)
        second = await ada.post("/v1/credits/consume", json=body, headers=key)
        other = await ada.post("/v1/credits/consume", json={**body, "amount": 2}, headers=key)

        assert (first.json(), second.json()) == (first.json(), first.json())
        assert second.headers["Idempotency-Replayed"] == "true"
        assert told(other) == (422, "idempotency_key_reused")
        assert await ada.balance() == 2

    @pytest.mark.parametrize(
        "text", ['{"a": NaN}', '{"a": 1e400}', r'{"a": "\ud800"}', r'{"\u0000": 1}']
    )
    async def test_refuses_metadata_that_no_database_stores(self, ada: Visitor, text: str) -> None:
        body = f'{{"user_id": "ada", "amount": 1, "reason": "r", "metadata": {text}}}'
        json = {"Content-Type": "application/json"}

        refused = await ada.post("/v1/credits/consume", content=body, headers=json)

        assert refused.status_code == 422
        assert await ada.balance() == 3

    async def test_never_overdraws_however_many_come_at_once(
        self, ada: Visitor, studio: Studio
    ) -> None:
        await studio.customer(credits=497)
        assert await ada.balance() == 500

        # All thousand at once would wait longer for a connection than any may, on a busy machine.
        room = asyncio.Semaphore(250)

        async def crowding() -> httpx.Response:
            async with room:
                return await consume(ada)

        began = time.process_time()
        answers = await asyncio.gather(*(crowding() for _ in range(1_000)))
        took = time.process_time() - began

        outcomes = Counter((one.status_code, one.json().get("detail")) for one in answers)
        assert outcomes == {(200, None): 500, (400, "insufficient_credits"): 500}
        assert await studio.purse() == (0, 0)
        assert took < 30


class TestGrant:
    async def test_gives_and_is_audited(self, visit: Visit, studio: Studio) -> None:
        operator = await visit("", admin_api_token=SecretStr("right"))

        given = await grant(operator, 5, TOKEN, metadata={"ticket": 7})

        assert (given.status_code, given.json()) == (
            200,
            {"user_id": "ada", "balance": 5, "applied": True},
        )
        async with studio.database.reading() as session:
            (entry,) = await session.scalars(select(AuditEntry))
        assert (entry.action, entry.reason, entry.proof) == (
            "credits_granted",
            "sorry",
            "admin_token",
        )
        assert (entry.target_kind, entry.target_id) == ("user", "ada")
        assert entry.after == {"amount": 5, "metadata": {"ticket": 7}}
        assert entry.request_id is not None
        assert [name for name, *_ in await recorded(studio)] == ["credits_granted"]

    async def test_happens_once_for_a_key(self, visit: Visit, studio: Studio) -> None:
        operator = await visit("", admin_api_token=SecretStr("right"))

        first = await grant(operator, 5, TOKEN, idempotency_key="ticket-7")
        second = await grant(operator, 5, TOKEN, idempotency_key="ticket-7")
        other = await grant(operator, 6, TOKEN, idempotency_key="ticket-7")

        assert (first.json()["applied"], second.json()["applied"]) == (True, False)
        assert told(other) == (409, "idempotency_key_reused")
        assert await studio.purse() == (5, 0)
        async with studio.database.reading() as session:
            assert len((await session.scalars(select(AuditEntry))).all()) == 1

    async def test_without_keys_is_given_each_time(self, visit: Visit, studio: Studio) -> None:
        operator = await visit("", admin_api_token=SecretStr("right"))

        await grant(operator, 5, TOKEN)
        await grant(operator, 5, TOKEN)

        assert await studio.purse() == (10, 0)

    @pytest.mark.parametrize(
        ("settings", "visitor", "outcome"),
        [
            ({}, NOBODY, (200, None)),
            ({"allow_open_admin_mode": False}, NOBODY, (401, "admin_auth_not_configured")),
            (LIVE, NOBODY, (401, "admin_auth_not_configured")),
            ({**LIVE, "allow_open_admin_mode": True}, NOBODY, (200, None)),
            (BY_TOKEN, ("ada", {}), (401, "missing_or_invalid_admin_token")),
            (
                BY_TOKEN,
                ("", {"X-Admin-Token": "wrong"}),
                (401, "missing_or_invalid_admin_token"),
            ),
            (BY_TOKEN, ("", TOKEN), (200, None)),
            (BY_LIST, ("root", {}), (200, None)),
            (BY_LIST, ("ada", {}), (403, "forbidden_admin_scope")),
            (BY_LIST, NOBODY, (401, "missing_or_invalid_token")),
        ],
    )
    async def test_is_for_operators(
        self,
        visit: Visit,
        studio: Studio,
        settings: dict[str, Any],
        visitor: tuple[str, dict[str, str]],
        outcome: tuple[int, str | None],
    ) -> None:
        user_id, headers = visitor
        answer = await grant(await visit(user_id, **settings), 5, headers)

        assert (answer.status_code, answer.json().get("detail")) == outcome
        assert await studio.purse() == ((5, 0) if outcome[0] == 200 else (0, 0))
