"""Provider settings as the operator's dashboard sees them."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from tests.doors.studio.conftest import Visit
from tests.doors.studio.provider_settings_desk import (
    SETTINGS,
    get,
    operator,
    post,
    put,
    studio,
)
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands

__all__ = ["operator", "studio"]  # fixtures


class TestPublished:
    async def test_holds_what_clients_know_and_what_we_added(self, operator: Visitor) -> None:
        answer = await operator.get(SETTINGS)

        assert answer.headers["ETag"] == '"1"'
        assert set(answer.json()) == {
            "default_provider",
            "enabled_providers",
            "fallback_chain",
            "operation_routes",
            "part_routes",
            "provider_models",
            "cost_controls",
            "in_flight_caps",
            "version",
            "canary_version",
        }
        assert answer.json()["operation_routes"]["restyle"] == {
            "preview_provider": "fal",
            "final_provider": "fal",
            "preview_providers": [],
            "final_providers": [],
            "strategy": "ordered",
            "on_moderation": "stop",
            "on_uncertain": "reconcile_then_fail",
        }

    async def test_can_be_put_back_as_it_came(self, operator: Visitor) -> None:
        shown = await get(operator)
        shown["default_provider"] = "openai"

        assert await put(operator, "", shown) == {**shown, "version": 2}
        assert await get(operator) == {**shown, "version": 2}
        assert [entry["action"] for entry in await get(operator, "/audit")] == [
            "provider_settings_published",
            "provider_settings_draft_updated",
        ]


class TestDraft:
    async def test_takes_any_part_and_has_no_effect(self, operator: Visitor) -> None:
        before = await get(operator)

        draft = await put(operator, "/draft", {"cost_controls": {"max_retries": 3}})

        assert draft["cost_controls"] == {**before["cost_controls"], "max_retries": 3}
        assert draft["revision"] == 1
        assert await get(operator, "/draft") == draft
        assert await get(operator) == before

    async def test_null_removes(self, operator: Visitor) -> None:
        draft = await put(operator, "/draft", {"operation_routes": {"remove": None}})

        assert set(draft["operation_routes"]) == {"restyle", "replace", "repaint"}

    async def test_warns_of_who_is_passed_over(self, operator: Visitor) -> None:
        assert {
            "code": "provider_not_capable",
            "message": "etcher cannot remove as preview: passed over",
        } in (await get(operator, "/draft"))["warnings"]

    @pytest.mark.parametrize("way", ["header", "query", "body"])
    async def test_a_clash_tells_what_changed(self, operator: Visitor, way: str) -> None:
        await put(operator, "/draft", {"default_provider": "openai"})
        await put(operator, "/draft", {"default_provider": "fal"}, params={"actor": "grace"})
        ways: dict[str, dict[str, Any]] = {
            "header": {"headers": {"If-Match": '"1"'}, "json": {}},
            "query": {"params": {"revision": 1}, "json": {}},
            "body": {"json": {"revision": 1}},
        }

        answer = await operator.client.put(f"{SETTINGS}/draft", **ways[way])

        assert (answer.status_code, answer.json()) == (
            409,
            {
                "detail": "draft_changed",
                "revision": 2,
                "changed_by": "grace",
                "changes": [
                    {
                        "path": "/default_provider",
                        "kind": "changed",
                        "before": "openai",
                        "after": "fal",
                    }
                ],
            },
        )

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"enabled_providers": []}, "no_provider_enabled"),
            ({"enabled_providers": ["fal", "dalle"]}, "provider_not_registered"),
            ({"default_provider": "dalle"}, "default_provider_not_enabled"),
            ({"fallback_chain": ["dalle"]}, "fallback_provider_not_enabled"),
            ({"provider_models": {"fal": None}}, "provider_without_models"),
            ({"nonsense": 1}, "invalid_provider_settings"),
            ({"default_provider": "\ud800"}, "invalid_provider_settings"),
            ({"part_routes": {"\ud800": {}}}, "invalid_provider_settings"),
            ({"default_provider": "a\0b"}, "invalid_provider_settings"),
            ({"revision": "one"}, "invalid_revision"),
        ],
    )
    async def test_refuses_with_the_reason(
        self, operator: Visitor, body: dict[str, Any], code: str
    ) -> None:
        # With escapes, so that half a surrogate pair can be sent, too.
        answer = await operator.client.put(
            f"{SETTINGS}/draft",
            content=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )

        assert (answer.status_code, answer.json()["detail"]) == (400, code)
        assert (await get(operator, "/draft"))["revision"] == 0

    @pytest.mark.parametrize(("tag", "status"), [("*", 200), ('W/"0"', 200), ("x", 400)])
    async def test_reads_entity_tags(self, operator: Visitor, tag: str, status: int) -> None:
        answer = await operator.client.put(f"{SETTINGS}/draft", json={}, headers={"If-Match": tag})

        assert answer.status_code == status

    async def test_production_takes_no_pretended_pictures(self, visit: Visit) -> None:
        operator = await visit(
            "",
            app_env="production",
            allow_open_admin_mode=True,
            encryption_keys=SecretStr("1:" + "A" * 43),
        )
        models = {"mock": {"preview_model": "a", "final_model": "b"}}

        answer = await operator.client.put(
            f"{SETTINGS}/draft",
            json={"enabled_providers": ["fal", "mock"], "provider_models": models},
        )

        assert answer.status_code == 400


class TestPublish:
    async def test_names_who_and_why(self, operator: Visitor, clock: Hands) -> None:
        await put(operator, "/draft", {"default_provider": "openai"})

        published = await post(operator, "/publish", json={"actor": "ada", "reason": "cheaper"})

        assert published == {
            "version": 2,
            "actor": "ada",
            "reason": "cheaper",
            "created_at": clock().isoformat().replace("+00:00", "Z"),
        }
        assert await get(operator, "/versions?limit=1") == [published]
        shown = await get(operator)
        assert (shown["default_provider"], shown["version"]) == ("openai", 2)

    async def test_needs_no_body(self, operator: Visitor) -> None:
        published = await post(operator, "/publish")

        assert (published["actor"], published["reason"]) == ("dashboard", None)

    async def test_once_for_one_key(self, operator: Visitor) -> None:
        key = {"Idempotency-Key": "k1"}

        again = [await post(operator, "/publish", headers=key, json={}) for _ in range(2)]

        assert again[0] == again[1]
        assert len(await get(operator, "/versions")) == 2

    async def test_publishes_only_what_was_seen(self, operator: Visitor) -> None:
        await put(operator, "/draft", {})

        answer = await operator.post(f"{SETTINGS}/publish?revision=0")

        assert (answer.status_code, answer.json()["detail"]) == (409, "draft_changed")


class TestRollBack:
    async def test_is_a_new_version(self, operator: Visitor) -> None:
        first = await get(operator)
        await put(operator, "", {"default_provider": "openai"})

        back = await post(operator, "/rollback/1", json={"actor": "ada"})

        assert (back["version"], back["actor"], back["reason"]) == (3, "ada", "rollback_from_1")
        assert await get(operator) == {**first, "version": 3}
        assert (await get(operator, "/draft"))["default_provider"] == "fal"

    async def test_to_nowhere_is_refused(self, operator: Visitor) -> None:
        answer = await operator.post(f"{SETTINGS}/rollback/9")

        assert (answer.status_code, answer.json()) == (
            400,
            {"detail": "provider_settings_version_not_found"},
        )
