"""Who did what to experiments, over HTTP; and the templates."""

import pytest

from tests.doors.studio.conftest import Visit
from tests.doors.studio.experiment_set_ups import EXPERIMENTS, PAYWALL, get, made, put
from tests.doors.studio.visitor import Visitor


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    return await visit("")


class TestAudit:
    async def test_tells_who_what_and_why(self, operator: Visitor) -> None:
        await put(operator, params={"actor": "eve", "reason": "first try"})
        await put(
            operator, {**PAYWALL, "name": "Timing"}, params={"actor": "grace", "reason": "a typo"}
        )

        newest, started, first = await get(operator, "/audit")

        assert set(newest) == {"id", "action", "actor", "reason", "created_at", "metadata"}
        assert (newest["action"], newest["actor"]) == ("experiment_upserted", "grace")
        assert (newest["reason"], newest["created_at"]) == ("a typo", "2026-11-24T12:00:00Z")
        told = newest["metadata"]
        assert (told["before"], told["after"]) == ({"name": "Paywall timing"}, {"name": "Timing"})
        assert (told["experiment_id"], told["operator"]) == ("paywall", "open_mode")
        assert started["action"] == "experiment_phase_started"
        assert first["metadata"]["before"] is None
        assert first["metadata"]["after"]["traffic_percent"] == 100

    async def test_is_signed_by_the_dashboard_where_nobody_signs(self, operator: Visitor) -> None:
        await put(operator, params={"actor": "", "reason": ""})

        entry = (await get(operator, "/audit"))[0]

        assert (entry["actor"], entry["reason"]) == ("dashboard", None)

    async def test_has_nothing_of_what_was_refused(self, operator: Visitor) -> None:
        await put(operator, {**PAYWALL, "variants": []})

        assert await get(operator, "/audit") == []

    async def test_is_found_by_experiment_and_action(self, operator: Visitor) -> None:
        await made(operator, of="a")
        await made(operator, of="b")
        await operator.client.delete(f"{EXPERIMENTS}/a")

        of_a = await get(operator, "/audit", experiment_id="a")
        deleted = await get(operator, "/audit", action="experiment_deleted")

        assert [each["action"] for each in of_a] == [
            "experiment_deleted",
            "experiment_phase_started",
            "experiment_upserted",
        ]
        assert [each["metadata"]["experiment_id"] for each in deleted] == ["a"]

    async def test_comes_in_pages(self, operator: Visitor) -> None:
        for name in "abc":
            await made(operator, of=name, is_active=False)

        first = await operator.get(f"{EXPERIMENTS}/audit", params={"limit": 2})
        query = {"limit": 2, "cursor": first.headers["x-next-cursor"]}
        rest = await operator.get(f"{EXPERIMENTS}/audit", params=query)

        seen = [each["metadata"]["experiment_id"] for each in (*first.json(), *rest.json())]
        assert seen == ["c", "b", "a"]
        assert "x-next-cursor" not in rest.headers

    async def test_has_bounds(self, operator: Visitor) -> None:
        for query in ("limit=0", "limit=501", "action=nonsense", "experiment_id=a%20b"):
            assert (await operator.get(f"{EXPERIMENTS}/audit?{query}")).status_code == 422
        assert await get(operator, "/audit", limit=1) == await get(operator, "/audit", limit=500)


class TestTemplates:
    async def test_have_the_fields_of_a_dashboard(self, operator: Visitor) -> None:
        listed = await get(operator, "/templates")

        assert [each["template_id"] for each in listed] == [
            "pricing_paywall_timing",
            "pricing_plan_highlight",
            "provider_preview_quality",
            "provider_fallback_order",
        ]
        assert {frozenset(each) for each in listed} == {
            frozenset(
                {
                    "template_id",
                    "name",
                    "description",
                    "assignment_unit",
                    "primary_metric",
                    "guardrails",
                    "variants",
                }
            )
        }

    async def test_can_each_be_put_as_they_are(self, operator: Visitor) -> None:
        for template in await get(operator, "/templates"):
            name = template.pop("template_id")
            answer = await put(operator, {**template, "is_active": True}, of=name)

            assert answer.status_code == 200, answer.text
            assert answer.json()["warnings"] == []
