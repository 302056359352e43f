"""Styles over HTTP: a render takes the words that an operator wrote."""

from typing import Any

import pytest
from sqlalchemy import select

from medici.domain.rendering.models import RenderJob
from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

ROCOCO = {
    "display_name": "Rococo",
    "prompt": "gilded stucco and pale silk",
    "thumbnail_url": "https://example.com/rococo.jpg",
    "is_active": True,
    "tags": ["gold"],
    "room_types": ["bedroom"],
    "sort_order": 5,
}


class TestStyles:
    async def test_are_made_and_used(self, ada: Visitor, studio: Studio) -> None:
        made = await ada.client.put("/v1/admin/styles/rococo", json=ROCOCO)

        assert made.json() == {"style_id": "rococo", **ROCOCO}
        assert (await ada.get("/v1/admin/styles/rococo")).json() == made.json()
        listed = (await ada.get("/v1/admin/styles")).json()
        assert [style["style_id"] for style in listed][:2] == ["rococo", "modern"]
        assert (await ada.order(style_id="rococo")).status_code == 200
        async with studio.database.reading() as session:
            prompt = await session.scalar(select(RenderJob.prompt))
        assert prompt is not None
        assert prompt.startswith("gilded stucco")

    async def test_come_in_pages(self, ada: Visitor) -> None:
        first = await ada.get("/v1/admin/styles", params={"limit": 5})
        rest = {"limit": 5, "cursor": first.headers["x-next-cursor"]}
        second = await ada.get("/v1/admin/styles", params=rest)

        assert [len(first.json()), len(second.json())] == [5, 4]
        assert "x-next-cursor" not in second.headers
        assert second.json()[-1]["style_id"] == "christmas"

    async def test_are_deleted_once(self, ada: Visitor) -> None:
        gone = await ada.client.delete("/v1/admin/styles/rustic")
        again = await ada.client.delete("/v1/admin/styles/rustic")

        assert gone.json() == {"deleted": True}
        assert (again.status_code, again.json()["detail"]) == (404, "style_not_found")
        assert (await ada.get("/v1/admin/styles/rustic")).status_code == 404

    async def test_of_the_first_day_can_be_had_back(self, ada: Visitor) -> None:
        await ada.client.delete("/v1/admin/styles/rustic")
        await ada.client.put("/v1/admin/styles/modern", json=ROCOCO)

        kept = (await ada.post("/v1/admin/styles/seed-defaults")).json()
        reset = (await ada.post("/v1/admin/styles/seed-defaults?overwrite=true")).json()

        names = {style["style_id"]: style["display_name"] for style in kept}
        assert (len(names), names["rustic"], names["modern"]) == (9, "Rustic", "Rococo")
        assert next(each for each in reset if each["style_id"] == "modern")["sort_order"] == 10
        audit = (await ada.get("/v1/admin/product-audit")).json()
        assert [each["metadata"]["id"] for each in audit] == [
            "modern",
            "rustic",
            "modern",
            "rustic",
        ]

    @pytest.mark.parametrize(
        "change",
        [
            {"prompt": ""},
            {"thumbnail_url": "javascript:alert(1)"},
            {"thumbnail_url": "/no/host.jpg"},
            {"tags": [""]},
            {"sort_order": 0.5},
            {"style_id": "gothic"},
            {"promt": "a slip"},
        ],
    )
    async def test_refuse_what_makes_no_sense(self, ada: Visitor, change: dict[str, Any]) -> None:
        refused = await ada.client.put("/v1/admin/styles/rococo", json={**ROCOCO, **change})

        assert refused.status_code == 422
