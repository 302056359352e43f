"""What a new discover feed shows: our own sample photo in four styles."""

from collections.abc import Mapping
from typing import TypeAlias

Row: TypeAlias = Mapping[str, object]

PICTURES = "/static/discover/"
SECTION = "before-and-after"

SECTIONS: tuple[Row, ...] = (
    {"key": SECTION, "title": "Before and after", "is_active": True, "sort_order": 10},
)


def _item(sort_order: int, style_id: str, subtitle: str) -> Row:
    return {
        "id": f"bedroom-{style_id}",
        "section_key": SECTION,
        "title": f"{style_id.capitalize()} bedroom",
        "subtitle": subtitle,
        "category": "Home",
        "before_image_url": f"{PICTURES}bedroom.jpg",
        "after_image_url": f"{PICTURES}bedroom-{style_id}.jpg",
        "is_active": True,
        "sort_order": sort_order,
    }


ITEMS: tuple[Row, ...] = (
    _item(10, "scandinavian", "Cool light under the roof"),
    _item(20, "japandi", "Clay walls and quiet tones"),
    _item(30, "bohemian", "Terracotta from wall to floor"),
    _item(40, "vintage", "Sage walls, softly faded"),
)
