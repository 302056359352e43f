"""Provider settings as they were, and whom a render would go to."""

from tests.doors.studio.provider_settings_desk import (
    PREVIEW,
    RESTYLE,
    SETTINGS,
    get,
    operator,
    post,
    put,
    studio,
)
from tests.doors.studio.visitor import Visitor
from tests.support.provider_tests import CONTROL, OTHER, Routing, begun, routes
from tests.support.studio import Studio

__all__ = ["operator", "studio"]  # fixtures


class TestHistory:
    async def test_shows_a_version_whole(self, operator: Visitor) -> None:
        shown = await get(operator, "/versions/1")

        assert (shown["version"], shown["settings"]["default_provider"]) == (1, "fal")
        missing = await operator.get(f"{SETTINGS}/versions/2")
        assert (missing.status_code, missing.json()) == (
            404,
            {"detail": "provider_settings_version_not_found"},
        )

    async def test_comes_in_pages(self, operator: Visitor) -> None:
        for _ in range(4):
            await post(operator, "/publish")

        seen, path = [], f"{SETTINGS}/versions?limit=2"
        cursor: str | None = ""
        while cursor is not None:
            answer = await operator.get(f"{path}&cursor={cursor}" if cursor else path)
            seen.append([version["version"] for version in answer.json()])
            cursor = answer.headers.get("X-Next-Cursor")

        assert seen == [[5, 4], [3, 2], [1]]

    async def test_tells_versions_and_the_draft_apart(self, operator: Visitor) -> None:
        await put(operator, "", {"default_provider": "openai"})
        await put(operator, "/draft", {"in_flight_caps": {"fal": {"total": 4}}})

        change = {
            "path": "/default_provider",
            "kind": "changed",
            "before": "fal",
            "after": "openai",
        }
        cap = {
            "path": "/in_flight_caps/fal",
            "kind": "added",
            "before": None,
            "after": {"total": 4, "by_operation": {}},
        }
        assert await get(operator, "/diff?from=1&to=2") == {
            "from": 1,
            "to": 2,
            "changes": [change],
        }
        assert (await get(operator, "/diff?from=1"))["changes"] == [change, cap]
        assert (await get(operator, "/diff?from=draft&to=2"))["changes"] == [
            {**cap, "kind": "removed", "before": cap["after"], "after": None}
        ]
        assert (await operator.get(f"{SETTINGS}/diff?from=1&to=9")).status_code == 404

    async def test_the_audit_never_takes_a_name_for_proof(self, operator: Visitor) -> None:
        await put(
            operator,
            "/draft",
            {"default_provider": "openai"},
            params={"actor": "the boss", "reason": "a try"},
        )

        (entry,) = await get(operator, "/audit?limit=1")

        assert set(entry) == {"id", "action", "actor", "reason", "created_at", "metadata"}
        assert (entry["action"], entry["actor"], entry["reason"]) == (
            "provider_settings_draft_updated",
            "the boss",
            "a try",
        )
        assert (entry["metadata"]["operator"], entry["metadata"]["proof"]) == (
            "open_mode",
            "open_mode",
        )
        assert entry["metadata"]["changes"][0]["path"] == "/default_provider"


class TestRoutePreview:
    async def test_shows_the_chain(self, operator: Visitor) -> None:
        answer = await operator.get(PREVIEW, params=RESTYLE)

        assert answer.json() == {
            "operation": "restyle",
            "tier": "preview",
            "target_parts": ["full_room"],
            "candidate_chain": ["fal", "openai", "etcher"],
            "selected_provider": "fal",
            "selected_model": "fal-small",
            "settings_version": 1,
            "strategy": "ordered",
            "weights": [],
            "on_moderation": "stop",
            "on_uncertain": "reconcile_then_fail",
            "treatments": [],
        }

    async def test_tells_where_a_test_of_providers_makes_exceptions(
        self, operator: Visitor, studio: Studio
    ) -> None:
        nobody: Routing = {"default_provider": "no", "fallback_chain": [], "operation_routes": None}
        variants = {CONTROL: None, OTHER: routes("openai"), "same": routes("fal"), "none": nobody}
        await begun(studio, variants)

        answer = await operator.get(PREVIEW, params=RESTYLE)

        assert answer.json()["candidate_chain"] == ["fal", "openai", "etcher"]
        assert answer.json()["treatments"] == [
            {
                "experiment_id": "providers",
                "variant_id": OTHER,
                "candidate_chain": ["openai", "fal", "etcher"],
                "selected_model": "openai-small",
            }
        ]

    async def test_passes_over_who_cannot(self, operator: Visitor) -> None:
        for wish in ({"operation": "remove"}, {"operation": "restyle", "masked": "true"}):
            answer = await operator.get(PREVIEW, params=wish)

            assert answer.json()["candidate_chain"] == ["fal", "openai"]

    async def test_says_when_nobody_is_left(self, operator: Visitor) -> None:
        only = {"default_provider": "etcher", "enabled_providers": ["etcher"], "fallback_chain": []}
        await put(operator, "", only)

        answer = await operator.get(PREVIEW, params={"operation": "remove"})

        assert (answer.status_code, answer.json()) == (400, {"detail": "no_provider_available"})
