"""Every change of the catalogue stands in the audit: from what, to what, by whom, and why."""

from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from medici.domain.identity.models import AuditEntry
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

TOKEN = {"X-Admin-Token": "right"}
STYLE = {"display_name": "Rococo", "prompt": "gilded stucco"}
SECTION = {"title": "Gardens"}
ITEM = {
    "section_key": "gardens",
    "title": "A hedge",
    "category": "Garden",
    "before_image_url": "https://example.com/a.jpg",
    "after_image_url": "https://example.com/b.jpg",
}
PLAN = {"display_name": "Team", "daily_credits": 9, "monthly_price_usd": 5}
PACK = {"display_name": "Ten", "credits": 10, "price_usd": 1}
ACTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("plan", "plans/team", PLAN),
    ("pack", "packs/ten", PACK),
    ("style", "styles/rococo", STYLE),
    ("variable", "variables/banner", {"value": "hi"}),
    ("discover_section", "discover/sections/gardens", SECTION),
    ("discover_item", "discover/items/hedge", ITEM),
)


async def audit(
    visitor: Visitor, headers: dict[str, str] = TOKEN, **query: Any
) -> list[dict[str, Any]]:
    answer = await visitor.get("/v1/admin/product-audit", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()
    return entries


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    return await visit("", admin_api_token=SecretStr("right"))


class TestAudit:
    async def test_tells_what_was_and_what_is(self, operator: Visitor) -> None:
        for form in (PLAN, {**PLAN, "daily_credits": 12}):
            await operator.client.put(
                "/v1/admin/plans/team",
                json=form,
                params={"actor": "eve", "reason": "spring sale"},
                headers={**TOKEN, "X-Request-ID": "request-1"},
            )

        newest, oldest = await audit(operator)

        assert (newest["action"], newest["actor"]) == ("plan_saved", "eve")
        assert (newest["reason"], newest["created_at"]) == ("spring sale", "2026-11-24T12:00:00Z")
        metadata = newest["metadata"]
        assert metadata["before"] == oldest["metadata"]["after"]
        assert metadata["after"] == {**metadata["before"], "daily_credits": 12}
        assert (metadata["kind"], metadata["id"]) == ("plan", "team")
        assert (metadata["operator"], metadata["proof"]) == ("admin_token", "admin_token")
        assert oldest["metadata"]["before"] is None

    async def test_keeps_the_proof_apart_from_the_name(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await operator.client.put(
            "/v1/admin/plans/team", json=PLAN, params={"actor": "system"}, headers=TOKEN
        )

        async with studio.database.reading() as session:
            (entry,) = (await session.scalars(select(AuditEntry))).all()
        assert (entry.actor, entry.proof) == ("admin_token", "admin_token")

    async def test_names_the_operator_where_no_name_is_given(self, visit: Visit) -> None:
        listed = await visit("root", admin_user_ids=("root",))
        await listed.client.put("/v1/admin/plans/team", json=PLAN)

        (entry,) = await audit(listed, {})

        assert (entry["actor"], entry["reason"]) == ("user:root", None)

    async def test_has_every_sort_of_change_newest_first_and_in_pages(
        self, operator: Visitor
    ) -> None:
        for _, path, form in ACTS:
            await operator.client.put(f"/v1/admin/{path}", json=form, headers=TOKEN)
        for _, path, _ in reversed(ACTS):
            await operator.client.delete(f"/v1/admin/{path}", headers=TOKEN)

        first = await operator.get("/v1/admin/product-audit", params={"limit": 7}, headers=TOKEN)
        rest = await audit(operator, limit=7, cursor=first.headers["x-next-cursor"])

        nouns = [noun for noun, _, _ in ACTS]
        told = [each["action"] for each in (*first.json(), *rest)]
        assert told == [
            *(f"{noun}_deleted" for noun in nouns),
            *(f"{noun}_saved" for noun in reversed(nouns)),
        ]
        gone = first.json()[1]["metadata"]
        assert (gone["before"]["credits"], gone["after"]) == (10, None)

    async def test_shows_one_sort_alone(self, operator: Visitor) -> None:
        for _, path, form in ACTS:
            await operator.client.put(f"/v1/admin/{path}", json=form, headers=TOKEN)

        entries = await audit(operator, kind="style")

        assert [each["metadata"]["id"] for each in entries] == ["rococo"]

    async def test_has_nothing_of_what_was_refused(self, operator: Visitor) -> None:
        await operator.client.delete("/v1/admin/plans/free", headers=TOKEN)
        await operator.client.put("/v1/admin/plans/team", json={}, headers=TOKEN)

        assert await audit(operator) == []
