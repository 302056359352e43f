"""Outgoing webhooks as an operator watches them: the log, and sending again."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from medici.domain.notices.notice import NoticeType
from tests.domain.notices.office import TAKEN, in_turn
from tests.doors.studio.backstage import NOBODY_ID, Backstage, opened_backstage, told
from tests.doors.studio.conftest import Visit
from tests.kernel.net.sites import says
from tests.support.studio import Studio

HOOK = "https://hooks.example/medici"
NO_DELIVERY = (404, "webhook_delivery_not_found")


@pytest.fixture
async def backstage(studio: Studio, visit: Visit) -> AsyncIterator[Backstage]:
    async with opened_backstage(studio, visit, TAKEN) as backstage:
        yield backstage


class TestTestEvent:
    async def test_is_sent_whatever_the_endpoint_listens_to(self, backstage: Backstage) -> None:
        made = await backstage.added(types=["trial.will_end"])
        other = await backstage.added()

        sent = await backstage.ask("POST", f"/{made['id']}/test")
        await backstage.studio.work()

        (request,) = backstage.receiver.requests
        told_of = Webhook(made["secret"]).verify(request.body, request.headers)
        assert (sent.status_code, sent.json()["status"]) == (202, "pending")
        assert request.headers["webhook-id"] == sent.json()["message_id"]
        assert (told_of["type"], told_of["data"]["endpoint_id"]) == ("endpoint.test", made["id"])
        assert (await backstage.shown(f"/{other['id']}/deliveries"))["deliveries"] == []


class TestLog:
    async def test_shows_a_delivery_with_its_attempts(self, studio: Studio, visit: Visit) -> None:
        broken = says("500 Internal Server Error", b"no \0 " + b"x" * 1000)
        async with opened_backstage(studio, visit, in_turn(broken, TAKEN)) as backstage:
            path = f"/{(await backstage.added())['id']}/deliveries"
            await backstage.announce()
            await studio.work()
            waiting = (await backstage.shown(path))["deliveries"][0]
            studio.clock.advance(timedelta(seconds=6))
            await studio.work()
            shown = await backstage.shown(f"{path}/{waiting['id']}")

        assert (waiting["status"], waiting["attempts"], waiting["error"]) == (
            "pending",
            1,
            "refused",
        )
        assert waiting["next_attempt_at"] > waiting["created_at"]
        assert (shown["delivery"]["status"], shown["delivery"]["attempts"]) == ("delivered", 2)
        assert (shown["subject"], shown["payload"]["type"]) == ("user:ada", "credits.low")
        assert shown["payload"]["data"] == {"user_id": "ada", "left": 1}
        first, second = shown["attempts"]
        assert (first["number"], first["status_code"], first["error"]) == (1, 500, "refused")
        assert first["answer"] == "no  " + "x" * 508
        assert (second["number"], second["status_code"], second["error"]) == (2, 204, None)

    async def test_is_filtered_and_comes_in_pages(self, backstage: Backstage) -> None:
        path = f"/{(await backstage.added())['id']}/deliveries"
        for kind in (NoticeType.CREDITS_LOW, NoticeType.CREDITS_EXPIRED, NoticeType.CREDITS_LOW):
            await backstage.announce(kind)
        await backstage.studio.work()
        await backstage.announce(NoticeType.CREDITS_EXPIRED)

        async def types(query: str) -> list[str]:
            return [one["type"] for one in (await backstage.shown(path + query))["deliveries"]]

        assert await types("?status=pending") == ["credits.expired"]
        assert await types("?status=delivered") == ["credits.low", "credits.expired", "credits.low"]
        assert await types("?type=credits.expired") == ["credits.expired"] * 2
        assert await types("?type=credits.expired&status=delivered") == ["credits.expired"]
        first = await backstage.shown(path + "?limit=3")
        rest = await types(f"?limit=3&cursor={first['next_cursor']}")
        assert (len(first["deliveries"]), rest) == (3, ["credits.low"])

    async def test_of_another_endpoint_is_not_shown(self, backstage: Backstage) -> None:
        one, other = (await backstage.added())["id"], (await backstage.added(HOOK))["id"]
        await backstage.ask("POST", f"/{one}/test")
        sent = (await backstage.shown(f"/{one}/deliveries"))["deliveries"][0]["id"]

        for delivery_id in (sent, NOBODY_ID, "nonsense"):
            path = f"/{other}/deliveries/{delivery_id}"
            assert told(await backstage.ask("GET", path)) == NO_DELIVERY
            assert told(await backstage.ask("POST", path + "/redeliver")) == NO_DELIVERY


class TestRedelivery:
    async def test_sends_one_again_under_its_id(self, backstage: Backstage) -> None:
        path = f"/{(await backstage.added())['id']}/deliveries"
        await backstage.announce()
        await backstage.studio.work()
        sent = (await backstage.shown(path))["deliveries"][0]

        again = await backstage.ask("POST", f"{path}/{sent['id']}/redeliver")
        await backstage.studio.work()

        assert (again.status_code, again.json()["status"]) == (202, "pending")
        names = [request.headers["webhook-id"] for request in backstage.receiver.requests]
        assert names == [sent["message_id"]] * 2

    async def test_sends_all_that_failed_again(self, studio: Studio, visit: Visit) -> None:
        async with opened_backstage(studio, visit, in_turn(says("410 Gone"), TAKEN)) as backstage:
            path = f"/{(await backstage.added())['id']}"
            since = {"since": studio.clock().isoformat()}
            await backstage.announce()
            await backstage.announce()
            await studio.work()
            flagged = await backstage.shown(path)
            refused = told(await backstage.ask("POST", f"{path}/redeliver-failed", json=since))
            await backstage.ask("POST", f"{path}/enable")
            again = await backstage.ask("POST", f"{path}/redeliver-failed", json=since)
            await studio.work()
            log = await backstage.shown(f"{path}/deliveries")

        assert (flagged["enabled"], flagged["disabled_because"]) == (False, "gone")
        assert refused == (409, "webhook_endpoint_disabled")
        assert (again.status_code, again.json()) == (202, {"redelivered": 2, "more": False})
        assert {one["status"] for one in log["deliveries"]} == {"delivered"}

    async def test_that_an_endpoint_was_disabled_is_audited_and_told_to_the_others(
        self, studio: Studio, visit: Visit
    ) -> None:
        async with opened_backstage(studio, visit, in_turn(says("410 Gone"), TAKEN)) as backstage:
            gone = await backstage.added(types=["credits.low"])
            watching = await backstage.added(types=["endpoint.disabled"])
            await backstage.announce()
            await studio.work()

        entry = (await backstage.audited())[-1]
        assert (entry.action, entry.proof, entry.reason, entry.target_id) == (
            "webhook_endpoint_disabled",
            "system",
            "gone",
            gone["id"],
        )
        _, request = backstage.receiver.requests
        heard = Webhook(watching["secret"]).verify(request.body, request.headers)
        assert (heard["type"], heard["data"]["endpoint_id"]) == ("endpoint.disabled", gone["id"])
