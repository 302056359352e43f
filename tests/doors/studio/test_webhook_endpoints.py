"""Outgoing webhooks as an operator runs them: endpoints, their secrets, and the audit."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook

from tests.attacks.addresses import TRICKY_URLS, private_hosts
from tests.domain.notices.office import TAKEN
from tests.doors.studio.backstage import NOBODY_ID, Backstage, opened_backstage, told
from tests.doors.studio.conftest import Visit
from tests.support.studio import Studio

HOOK = "https://hooks.example/medici"
NO_ENDPOINT = (404, "webhook_endpoint_not_found")


@pytest.fixture
async def backstage(studio: Studio, visit: Visit) -> AsyncIterator[Backstage]:
    async with opened_backstage(studio, visit, TAKEN) as backstage:
        yield backstage


def without_secret(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in endpoint.items() if name != "secret"}


class TestAdding:
    async def test_shows_the_secret_this_once(self, backstage: Backstage) -> None:
        made = await backstage.added(HOOK, types=["credits.low"], description="our CRM")

        assert made["secret"].startswith("whsec_")
        assert made["secret"].endswith(made["secret_last4"])
        assert without_secret(made) == {
            "id": made["id"],
            "url": HOOK,
            "types": ["credits.low"],
            "description": "our CRM",
            "enabled": True,
            "disabled_at": None,
            "disabled_because": None,
            "failures_in_a_row": 0,
            "failing_since": None,
            "resting_until": None,
            "secret_last4": made["secret"][-4:],
            "previous_secret_until": None,
            "created_at": made["created_at"],
            "updated_at": made["created_at"],
        }
        assert await backstage.shown(f"/{made['id']}") == without_secret(made)
        assert await backstage.shown("") == {
            "endpoints": [without_secret(made)],
            "next_cursor": None,
        }

    async def test_keeps_no_secret_readable(self, backstage: Backstage) -> None:
        made = await backstage.added(HOOK)
        rotated = (await backstage.ask("POST", f"/{made['id']}/rotate-secret")).json()

        async with backstage.studio.database.reading() as session:
            tables = ("webhook_endpoints", "audit_entries", "idempotency_keys")
            rows = [
                str(row)
                for name in tables
                for row in await session.execute(text(f"SELECT * FROM {name}"))
            ]
        for secret in (made["secret"], rotated["secret"]):
            assert secret.removeprefix("whsec_") not in "".join(rows)

    @pytest.mark.parametrize(
        ("url", "detail"),
        [
            ("http://hooks.example/", "url_invalid_scheme"),
            ("https://hooks.example:8443/", "url_blocked_host"),
            ("https://user:password@hooks.example/", "url_blocked_host"),
            ("https://10.0.0.7/", "url_non_public_target"),
            ("https://localhost/", "url_blocked_host"),
            ("https://\x00/", "url_missing_host"),
        ],
    )
    async def test_refuses_an_address(self, backstage: Backstage, url: str, detail: str) -> None:
        assert told(await backstage.ask("POST", json={"url": url})) == (400, detail)

    async def test_refuses_every_address_inside_a_network(self, backstage: Backstage) -> None:
        urls = [f"https://{host}/" for host in private_hosts()[::25]]
        urls += [url for url in TRICKY_URLS if url.isascii()]
        answers = [await backstage.ask("POST", json={"url": url}) for url in urls]

        assert {answer.status_code for answer in answers} <= {400, 422}
        assert (await backstage.shown(""))["endpoints"] == []

    @pytest.mark.parametrize(
        "changes",
        [
            {"types": []},
            {"types": ["credits.stolen"]},
            {"types": ["endpoint.test"]},
            {"description": "a" * 201},
            {"description": "\x00"},
            {"secret": "whsec_mine"},
            {"url": None},
        ],
        ids=str,
    )
    async def test_refuses_what_is_no_wish(
        self, backstage: Backstage, changes: dict[str, Any]
    ) -> None:
        answer = await backstage.ask("POST", json={"url": HOOK, **changes})

        assert answer.status_code == 422
        assert await backstage.audited() == []

    async def test_has_an_end(self, backstage: Backstage) -> None:
        for _ in range(50):
            await backstage.added(HOOK)

        refused = await backstage.ask("POST", json={"url": HOOK})
        assert told(refused) == (409, "too_many_webhook_endpoints")


class TestListing:
    async def test_comes_in_pages(self, backstage: Backstage) -> None:
        made = [(await backstage.added(HOOK))["id"] for _ in range(3)]

        first = await backstage.shown("?limit=2")
        second = await backstage.shown(f"?limit=2&cursor={first['next_cursor']}")

        assert [one["id"] for one in first["endpoints"] + second["endpoints"]] == made
        assert second["next_cursor"] is None

    async def test_takes_no_cursor_of_somebody_else(self, backstage: Backstage) -> None:
        assert told(await backstage.ask("GET", "?cursor=WyJ4Il0")) == (400, "invalid_cursor")


class TestChanging:
    async def test_leaves_alone_what_is_not_named(self, backstage: Backstage) -> None:
        made = await backstage.added(HOOK, types=["credits.low"], description="old")
        path = f"/{made['id']}"

        renamed = (await backstage.ask("PATCH", path, json={"description": "new"})).json()
        opened = (await backstage.ask("PATCH", path, json={"types": None})).json()
        moved = (await backstage.ask("PATCH", path, json={"url": HOOK + "2"})).json()

        assert [one["types"] for one in (renamed, opened, moved)] == [["credits.low"], None, None]
        assert (moved["url"], moved["description"]) == (HOOK + "2", "new")

    async def test_judges_the_new_address(self, backstage: Backstage) -> None:
        path = f"/{(await backstage.added(HOOK))['id']}"

        answer = await backstage.ask("PATCH", path, json={"url": "https://127.0.0.1/"})

        assert told(answer) == (400, "url_non_public_target")
        assert (await backstage.shown(path))["url"] == HOOK

    async def test_disables_enables_and_deletes(self, backstage: Backstage) -> None:
        path = f"/{(await backstage.added())['id']}"

        off = (await backstage.ask("POST", f"{path}/disable")).json()
        refused = told(await backstage.ask("POST", f"{path}/test"))
        on = (await backstage.ask("POST", f"{path}/enable")).json()
        gone = await backstage.ask("DELETE", path)

        assert (off["enabled"], off["disabled_because"]) == (False, "operator")
        assert refused == (409, "webhook_endpoint_disabled")
        assert (on["enabled"], on["disabled_because"], on["disabled_at"]) == (True, None, None)
        assert (gone.status_code, gone.content) == (204, b"")
        assert told(await backstage.ask("GET", path)) == NO_ENDPOINT

    async def test_is_audited_with_its_reason(self, backstage: Backstage) -> None:
        made = await backstage.added(HOOK)
        path = f"/{made['id']}"
        await backstage.ask("PATCH", path + "?reason=moved", json={"url": HOOK + "2"})
        await backstage.ask("POST", f"{path}/rotate-secret", json={"overlap_seconds": 60})
        await backstage.ask("POST", f"{path}/test")
        await backstage.ask("POST", f"{path}/disable")
        await backstage.ask("POST", f"{path}/enable")
        await backstage.ask("DELETE", path)

        entries = await backstage.audited()
        assert [entry.action for entry in entries] == [
            "webhook_endpoint_added",
            "webhook_endpoint_changed",
            "webhook_secret_rotated",
            "webhook_test_sent",
            "webhook_endpoint_disabled",
            "webhook_endpoint_enabled",
            "webhook_endpoint_deleted",
        ]
        assert {(one.target_kind, one.target_id) for one in entries} == {
            ("webhook_endpoint", made["id"])
        }
        assert {one.actor for one in entries} == {"admin_token"}
        assert (entries[1].reason, entries[1].before, entries[1].after) == (
            "moved",
            {"url": HOOK, "types": None, "description": ""},
            {"url": HOOK + "2", "types": None, "description": ""},
        )

    @pytest.mark.parametrize("endpoint_id", [NOBODY_ID, "nonsense"])
    async def test_of_nothing_is_refused(self, backstage: Backstage, endpoint_id: str) -> None:
        path = f"/{endpoint_id}"
        answers = [
            await backstage.ask("GET", path),
            await backstage.ask("PATCH", path, json={}),
            await backstage.ask("DELETE", path),
            *[
                await backstage.ask("POST", f"{path}/{act}")
                for act in ("disable", "enable", "rotate-secret", "test")
            ],
            await backstage.ask("GET", f"{path}/deliveries"),
            await backstage.ask(
                "POST", f"{path}/redeliver-failed", json={"since": "2026-11-24T00:00:00Z"}
            ),
        ]

        assert {told(answer) for answer in answers} == {NO_ENDPOINT}
        assert await backstage.audited() == []


class TestAnybodyElse:
    @pytest.mark.parametrize("path", ["", f"/{NOBODY_ID}", "/nonsense", "/nonsense/deliveries/x"])
    async def test_learns_nothing(self, backstage: Backstage, path: str) -> None:
        answer = await backstage.ask("GET", path, token="wrong")

        assert told(answer) == (401, "missing_or_invalid_admin_token")


class TestRotating:
    async def test_shows_the_new_secret_and_how_long_the_old_one_signs(
        self, backstage: Backstage
    ) -> None:
        made, clock = await backstage.added(), backstage.studio.clock
        path = f"/{made['id']}"

        rotated = (await backstage.ask("POST", f"{path}/rotate-secret")).json()
        await backstage.ask("POST", f"{path}/test")
        await backstage.studio.work()

        until = (clock() + timedelta(days=1)).isoformat().replace("+00:00", "Z")
        assert rotated["previous_secret_until"] == until
        (request,) = backstage.receiver.requests
        for secret in (made["secret"], rotated["secret"]):
            Webhook(secret).verify(request.body, request.headers)

    @pytest.mark.parametrize("seconds", [-1, 604_801, "x"])
    async def test_refuses_an_overlap_that_is_none(
        self, backstage: Backstage, seconds: object
    ) -> None:
        path = f"/{(await backstage.added(HOOK))['id']}/rotate-secret"

        answer = await backstage.ask("POST", path, json={"overlap_seconds": seconds})
        assert answer.status_code == 422
