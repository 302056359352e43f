"""The discover feed: our own pictures at first, then whatever an operator puts there."""

from typing import Any

import httpx
import pytest

from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import BASE

FEED = "/v1/discover/feed"
SECTIONS = "/v1/admin/discover/sections"
ITEMS = "/v1/admin/discover/items"
HEDGE = {
    "section_key": "gardens",
    "title": "A hedge",
    "subtitle": "Trimmed",
    "category": "Garden",
    "before_image_url": "https://example.com/before.jpg",
    "after_image_url": "/static/discover/bedroom.jpg",
    "is_active": True,
    "sort_order": 0,
}


async def put(visitor: Visitor, path: str, form: dict[str, Any]) -> httpx.Response:
    return await visitor.client.put(path, json=form)


async def plant(visitor: Visitor, **changes: Any) -> None:
    await put(visitor, f"{SECTIONS}/gardens", {"title": "Gardens"})
    planted = await put(visitor, f"{ITEMS}/hedge", {**HEDGE, **changes})
    assert planted.status_code == 200, planted.text


async def ids(visitor: Visitor, **query: str) -> list[str]:
    sections = (await visitor.get(FEED, params=query)).json()["sections"]
    return [item["id"] for section in sections for item in section["items"]]


class TestFeed:
    async def test_shows_pictures_that_anybody_can_fetch(self, visit: Visit) -> None:
        nobody = await visit("")

        answer = await nobody.get(FEED, params={"tab": "Home"})

        feed = answer.json()
        assert feed["tabs"] == ["Home", "Garden", "Exterior Design"]
        assert answer.headers["cache-control"] == "public, max-age=60"
        (section,) = feed["sections"]
        assert (section["key"], section["title"]) == ("before-and-after", "Before and after")
        assert section["items"][0] == {
            "id": "bedroom-scandinavian",
            "title": "Scandinavian bedroom",
            "subtitle": "Cool light under the roof",
            "category": "Home",
            "before_image_url": f"{BASE}/static/discover/bedroom.jpg",
            "after_image_url": f"{BASE}/static/discover/bedroom-scandinavian.jpg",
        }
        for item in section["items"]:
            for side in ("before_image_url", "after_image_url"):
                picture = await nobody.get(item[side])
                assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
                assert picture.headers["cache-control"] == "public, max-age=86400"

    async def test_has_no_other_files(self, ada: Visitor) -> None:
        for name in ("nothing.jpg", "..%2Fdiscover.py", "%2e%2e/discover.py"):
            assert (await ada.get(f"/static/discover/{name}")).status_code == 404

    async def test_speaks_under_the_public_address(self, visit: Visit) -> None:
        visitor = await visit("ada", medici_public_url="https://api.example.com/")

        (section,) = (await visitor.get(FEED)).json()["sections"]

        address = "https://api.example.com/static/discover/bedroom.jpg"
        assert section["items"][0]["before_image_url"] == address

    async def test_filters_by_tab_in_any_case(self, ada: Visitor) -> None:
        await plant(ada)

        assert await ids(ada, tab="gArDeN") == ["hedge"]
        assert "hedge" not in await ids(ada, tab="Home")
        assert (await ids(ada))[0] == "hedge"
        assert (await ada.get(FEED, params={"tab": "Castle"})).json()["sections"] == []

    async def test_hides_what_is_not_active(self, ada: Visitor) -> None:
        await plant(ada, is_active=False)
        assert "hedge" not in await ids(ada)

        await plant(ada)
        await put(ada, f"{SECTIONS}/gardens", {"title": "Gardens", "is_active": False})
        assert "hedge" not in await ids(ada)


class TestAdmin:
    async def test_answers_as_was_saved(self, ada: Visitor) -> None:
        section = await put(ada, f"{SECTIONS}/gardens", {"title": "Gardens", "sort_order": 3})
        item = await put(ada, f"{ITEMS}/hedge", HEDGE)

        assert section.json() == {
            "key": "gardens",
            "title": "Gardens",
            "is_active": True,
            "sort_order": 3,
        }
        assert item.json() == {"id": "hedge", **HEDGE}
        assert (await ada.get(ITEMS, params={"section": "gardens"})).json() == [item.json()]
        assert [each["key"] for each in (await ada.get(SECTIONS)).json()] == [
            "gardens",
            "before-and-after",
        ]

    async def test_lists_in_pages(self, ada: Visitor) -> None:
        first = await ada.get(ITEMS, params={"limit": 3})
        rest = await ada.get(ITEMS, params={"limit": 3, "cursor": first.headers["x-next-cursor"]})

        assert [len(first.json()), len(rest.json())] == [3, 1]

    async def test_deletes_once(self, ada: Visitor) -> None:
        await plant(ada)

        gone = [await ada.client.delete(f"{ITEMS}/hedge") for _ in range(2)]
        sections = [await ada.client.delete(f"{SECTIONS}/gardens") for _ in range(2)]

        assert [each.json() for each in gone] == [
            {"deleted": True},
            {"detail": "discover_item_not_found"},
        ]
        assert [each.json() for each in sections] == [
            {"deleted": True},
            {"detail": "discover_section_not_found"},
        ]

    async def test_needs_the_section_of_an_item(self, ada: Visitor) -> None:
        refused = await put(ada, f"{ITEMS}/hedge", HEDGE)

        assert (refused.status_code, refused.json()["detail"]) == (
            404,
            "discover_section_not_found",
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"before_image_url": "javascript:alert(1)"},
            {"before_image_url": "a/b.jpg"},
            {"after_image_url": ""},
            {"category": ""},
            {"catgory": "a slip"},
            {"id": "another"},
        ],
    )
    async def test_refuses_what_makes_no_sense(self, ada: Visitor, change: dict[str, Any]) -> None:
        await put(ada, f"{SECTIONS}/gardens", {"title": "Gardens"})

        assert (await put(ada, f"{ITEMS}/hedge", {**HEDGE, **change})).status_code == 422
