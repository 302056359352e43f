"""Events come in once, from those who may report them."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from medici.domain.events.models import Event
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW

EVENTS = "/v1/analytics/events"
HOUR = timedelta(hours=1)


async def stored(database: Database) -> list[Event]:
    async with database.reading() as session:
        return list((await session.scalars(select(Event).order_by(Event.id))).all())


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    visitor = await visit("", admin_api_token=SecretStr("right"))
    visitor.client.headers["X-Admin-Token"] = "right"
    return visitor


class TestOneEvent:
    async def test_of_an_existing_client_is_taken(self, ada: Visitor, database: Database) -> None:
        answer = await ada.post(
            EVENTS,
            json={
                "event_name": "upload_completed",
                "user_id": "ada",
                "platform": "android",
                "provider": "fal",
                "operation": "restyle",
                "status": "completed",
                "latency_ms": 1234.6,
                "cost_usd": 0.04,
                "occurred_at": "2026-11-24T11:59:00Z",
            },
        )

        assert (answer.status_code, answer.json()) == (
            200,
            {"accepted": True, "ingested": 1, "duplicates": 0, "rejected": []},
        )
        (event,) = await stored(database)
        assert (event.name, event.user_id, event.platform) == ("upload_completed", "ada", "android")
        assert (event.latency_ms, event.cost_micros) == (1235, 40_000)
        assert (event.occurred_at, event.recorded_at) == (NOW - timedelta(minutes=1), NOW)
        assert event.trusted is False

    async def test_is_the_users_own_on_the_platform_they_signed_in_on(
        self, ada: Visitor, database: Database
    ) -> None:
        await ada.post(EVENTS, json={"event_name": "app_opened", "properties": {"tab": 2}})

        (event,) = await stored(database)
        assert (event.user_id, event.platform, event.occurred_at) == ("ada", "ios", NOW)
        assert event.properties == {"tab": 2}

    async def test_about_somebody_else_is_refused(self, ada: Visitor, database: Database) -> None:
        answer = await ada.post(EVENTS, json={"event_name": "app_opened", "user_id": "bob"})

        assert (answer.status_code, answer.json()) == (403, {"detail": "forbidden_user_scope"})
        assert await stored(database) == []

    async def test_of_an_operator_counts_like_our_own(
        self, operator: Visitor, database: Database
    ) -> None:
        answer = await operator.post(
            EVENTS, json={"event_name": "order_paid", "user_id": "bob", "anonymous_id": "phone"}
        )

        assert answer.status_code == 200, answer.text
        (event,) = await stored(database)
        assert (event.user_id, event.anonymous_id, event.trusted) == ("bob", "phone", True)

    async def test_of_nobody_is_refused(self, visit: Visit) -> None:
        nobody = await visit("")

        answer = await nobody.post(EVENTS, json={"event_name": "app_opened"})

        assert answer.status_code == 401

    @pytest.mark.parametrize(
        ("changes", "code", "field"),
        [
            ({"event_name": "App Opened"}, "invalid", "event_name"),
            ({"event_name": "a" * 65}, "invalid", "event_name"),
            ({"event_name": None}, "invalid", "event_name"),
            ({"event_id": "no uuid"}, "invalid", "event_id"),
            ({"platform": "windows"}, "invalid", "platform"),
            ({"user_id": "anonymous"}, "placeholder_id", "user_id"),
            ({"anonymous_id": "NULL"}, "placeholder_id", "anonymous_id"),
            ({"anonymous_id": "0"}, "placeholder_id", "anonymous_id"),
            (
                {"anonymous_id": "00000000-0000-0000-0000-000000000000"},
                "placeholder_id",
                "anonymous_id",
            ),
            ({"occurred_at": "2026-11-24T13:00:01Z"}, "ts_out_of_range", "occurred_at"),
            ({"occurred_at": "2026-10-25T11:59:59Z"}, "ts_out_of_range", "occurred_at"),
            ({"occurred_at": "9999-12-31T23:59:59-11:00"}, "ts_out_of_range", "occurred_at"),
            ({"latency_ms": -1}, "invalid", "latency_ms"),
            ({"cost_usd": "-0.01"}, "invalid", "cost_usd"),
            ({"properties": {str(n): n for n in range(65)}}, "invalid", "properties"),
            ({"properties": {"k" * 101: 1}}, "invalid", "properties"),
            ({"properties": {"k": "v" * 1001}}, "invalid", "properties"),
            ({"properties": {"k": {"nested": 1}}}, "invalid", "properties"),
            ({"session_id": "a\u0000b"}, "invalid", "session_id"),
        ],
    )
    async def test_that_does_not_fit_is_told_why(
        self, ada: Visitor, database: Database, changes: Mapping[str, Any], code: str, field: str
    ) -> None:
        answer = await ada.post(EVENTS, json={"event_name": "app_opened", **changes})

        assert answer.status_code == 422, answer.text
        assert answer.json() == {
            "detail": "no_acceptable_event",
            "rejected": [{"index": 0, "code": code, "field": field}],
        }
        assert await stored(database) == []

    async def test_may_be_an_hour_ahead_and_thirty_days_old(self, ada: Visitor) -> None:
        for moment in (NOW + HOUR, NOW - timedelta(days=30)):
            event = {"event_name": "app_opened", "occurred_at": moment.isoformat()}
            assert (await ada.post(EVENTS, json=event)).status_code == 200

    @pytest.mark.parametrize("body", [b"[]", b"7", b'{"events": {}}', b'{"events": []}'])
    async def test_must_be_an_event(self, ada: Visitor, body: bytes) -> None:
        answer = await ada.post(EVENTS, content=body)
        assert (answer.status_code, answer.json()) == (422, {"detail": "invalid_events"})

    async def test_must_be_json(self, ada: Visitor) -> None:
        for body in (b"", b"{", b'{"event_name": NaN}'):
            answer = await ada.post(EVENTS, content=body)
            assert (answer.status_code, answer.json()) == (400, {"detail": "invalid_json"})

    async def test_with_a_key_is_answered_the_same_again(
        self, ada: Visitor, database: Database
    ) -> None:
        for _ in range(2):
            answer = await ada.post(
                EVENTS, json={"event_name": "app_opened"}, headers={"Idempotency-Key": "k1"}
            )
            assert answer.json()["ingested"] == 1

        assert len(await stored(database)) == 1


class TestTwice:
    async def test_the_same_event_counts_once(self, ada: Visitor, database: Database) -> None:
        event = {"event_name": "app_opened", "event_id": str(new_id())}

        first, second = [(await ada.post(EVENTS, json=event)).json() for _ in range(2)]

        assert (first["ingested"], first["duplicates"]) == (1, 0)
        assert (second["ingested"], second["duplicates"]) == (0, 1)
        assert len(await stored(database)) == 1

    async def test_at_the_same_moment_it_counts_once(
        self, ada: Visitor, database: Database
    ) -> None:
        event = {"event_name": "app_opened", "event_id": str(new_id())}

        answers = await asyncio.gather(*(ada.post(EVENTS, json=event) for _ in range(12)))

        assert sum(answer.json()["ingested"] for answer in answers) == 1
        assert len(await stored(database)) == 1

    async def test_an_event_without_id_counts_each_time(
        self, ada: Visitor, database: Database
    ) -> None:
        for _ in range(2):
            await ada.post(EVENTS, json={"event_name": "app_opened"})

        assert len(await stored(database)) == 2


class TestBatch:
    async def test_takes_what_fits_and_tells_of_the_rest(
        self, ada: Visitor, database: Database
    ) -> None:
        twice = str(new_id())
        events: list[object] = [
            {"event_name": "app_opened", "event_id": twice},
            {"event_name": "no name!"},
            {"event_name": "app_opened", "event_id": twice},
            {"event_name": "app_opened", "user_id": "bob"},
            "nonsense",
            {},
            {"event_name": "upload_completed"},
        ]

        answer = await ada.post(EVENTS, json={"events": events})

        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "accepted": True,
            "ingested": 2,
            "duplicates": 1,
            "rejected": [
                {"index": 1, "code": "invalid", "field": "event_name"},
                {"index": 3, "code": "forbidden_user_scope", "field": "user_id"},
                {"index": 4, "code": "invalid", "field": None},
                {"index": 5, "code": "field_required", "field": "event_name"},
            ],
        }
        assert [event.name for event in await stored(database)] == [
            "app_opened",
            "upload_completed",
        ]

    async def test_corrects_the_senders_clock(self, ada: Visitor, database: Database) -> None:
        slow = NOW - 5 * HOUR  # what the sender's clock says now
        events = [{"event_name": "app_opened", "occurred_at": (slow - HOUR).isoformat()}]

        answer = await ada.post(EVENTS, json={"events": events, "sent_at": slow.isoformat()})

        assert answer.status_code == 200, answer.text
        assert [event.occurred_at for event in await stored(database)] == [NOW - HOUR]

    async def test_takes_500_and_no_more(self, ada: Visitor, database: Database) -> None:
        event = {"event_name": "app_opened"}

        most = await ada.post(EVENTS, json={"events": [event] * 500})
        more = await ada.post(EVENTS, json={"events": [event] * 501})

        assert most.json()["ingested"] == 500
        assert (more.status_code, more.json()) == (422, {"detail": "too_many_events"})
        assert len(await stored(database)) == 500

    async def test_larger_than_a_mebibyte_is_refused(self, ada: Visitor) -> None:
        answer = await ada.post(EVENTS, content=b" " * (1024 * 1024 + 1))
        assert (answer.status_code, answer.json()) == (413, {"detail": "body_too_large"})
