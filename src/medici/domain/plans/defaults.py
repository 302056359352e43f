"""What a new catalogue holds: two plans, nine styles, the variables of a render."""

from collections.abc import Mapping
from typing import TypeAlias

from medici.domain.plans.variables import TUNABLES

Row: TypeAlias = Mapping[str, object]

FREE = "free"
PRO = "pro"

LIVING = ("living_room", "bedroom", "dining_room", "home_office")
ANYWHERE = (*LIVING, "kitchen", "bathroom", "hallway")

PLANS: tuple[Row, ...] = (
    {
        "plan_id": FREE,
        "display_name": "Free",
        "is_active": True,
        "daily_credits": 3,
        "preview_cost_credits": 1,
        "final_cost_credits": 2,
        "monthly_price_cents": 0,
        "ios_product_id": None,
        "android_product_id": None,
        "web_product_id": None,
        "features": ["daily_free_credits", "preview_generation"],
    },
    {
        "plan_id": PRO,
        "display_name": "Pro",
        "is_active": True,
        "daily_credits": 80,
        "preview_cost_credits": 1,
        "final_cost_credits": 1,
        "monthly_price_cents": 1499,
        "ios_product_id": "pro_monthly_ios",
        "android_product_id": "pro_monthly_android",
        "web_product_id": "pro_monthly_web",
        "features": ["higher_limits", "priority_queue", "no_ads"],
    },
)


def _style(
    sort_order: int, style_id: str, prompt: str, *, tags: tuple[str, ...], rooms: tuple[str, ...]
) -> Row:
    return {
        "style_id": style_id,
        "display_name": style_id.capitalize(),
        "prompt": prompt,
        "thumbnail_url": None,
        "is_active": True,
        "tags": list(tags),
        "room_types": list(rooms),
        "sort_order": sort_order,
    }


STYLES: tuple[Row, ...] = (
    _style(
        10,
        "modern",
        "modern interior, smooth off-white walls with one charcoal accent, low clean-lined"
        " furniture in grey and black, matte metal and glass details, wide-plank oak floor,"
        " hidden linear lighting, crisp daylight",
        tags=("clean", "neutral", "popular"),
        rooms=ANYWHERE,
    ),
    _style(
        20,
        "minimalistic",
        "minimalist interior, pure warm-white walls, very few well-made pieces with hidden"
        " storage, pale seamless floor, no clutter and no pattern, a single sculptural object,"
        " soft even daylight and long calm shadows",
        tags=("calm", "bright", "uncluttered"),
        rooms=ANYWHERE,
    ),
    _style(
        30,
        "bohemian",
        "bohemian interior, terracotta and ochre limewash walls, layered kilim rugs and"
        " patterned cushions, rattan and carved wood, macrame, many trailing plants, brass"
        " lanterns, golden late-afternoon light",
        tags=("colourful", "layered", "plants"),
        rooms=LIVING,
    ),
    _style(
        40,
        "scandinavian",
        "Scandinavian interior, soft white walls, light birch and ash furniture with rounded"
        " edges, wool throws and linen in pale blue and grey, simple paper pendant lamps, pale"
        " timber floor, clear northern daylight",
        tags=("bright", "cosy", "popular"),
        rooms=ANYWHERE,
    ),
    _style(
        50,
        "industrial",
        "industrial loft interior, exposed red brick and raw concrete walls, blackened steel"
        " frames, worn cognac leather, reclaimed timber, visible pipes, filament bulbs in metal"
        " shades, moody directional light",
        tags=("dark", "urban", "raw"),
        rooms=("living_room", "kitchen", "dining_room", "home_office"),
    ),
    _style(
        60,
        "japandi",
        "Japandi interior, warm greige clay-plaster walls, low oak and walnut furniture, paper"
        " screens and linen, handmade ceramics, one branch in a vase, tatami-toned rug, quiet"
        " balanced composition, diffuse warm light",
        tags=("calm", "natural", "popular"),
        rooms=ANYWHERE,
    ),
    _style(
        70,
        "rustic",
        "rustic farmhouse interior, lime-washed walls and rough wooden beams, solid weathered"
        " oak furniture, stone and wrought iron, woven baskets, checked and heavy linen"
        " textiles, worn terracotta or plank floor, warm hearth light",
        tags=("warm", "natural", "country"),
        rooms=("living_room", "bedroom", "kitchen", "dining_room"),
    ),
    _style(
        80,
        "vintage",
        "vintage mid-century interior, muted sage and mustard walls, teak sideboard on tapered"
        " legs, velvet armchair, patterned wallpaper accent, brass and smoked glass lamps, framed"
        " prints, herringbone parquet, slightly faded film tones",
        tags=("retro", "warm", "colourful"),
        rooms=LIVING,
    ),
    _style(
        90,
        "christmas",
        "interior dressed for Christmas, a decorated fir tree with warm fairy lights, evergreen"
        " garlands, deep red and forest green textiles, candles and brass stars, wrapped gifts,"
        " festive evening glow with snow-blue light at the windows",
        tags=("seasonal", "festive", "cosy"),
        rooms=("living_room", "dining_room", "bedroom", "hallway"),
    ),
)

VARIABLES: tuple[Row, ...] = tuple(
    {"key": tunable.key, "value": tunable.default, "description": tunable.description}
    for tunable in TUNABLES
)
