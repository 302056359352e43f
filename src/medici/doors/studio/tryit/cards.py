"""How the styles on offer are shown: a name, a few words, a little room in the style's colours."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from medici.domain.plans.models import Style

HIDDEN_TAGS = frozenset({"popular"})  # says nothing about a look


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of a drawn room, each written ``#rrggbb``."""

    wall: str
    side: str  # the wall in the shade
    floor: str
    fabric: str
    accent: str


NEUTRAL = Palette(
    wall="#d9d9d6", side="#c4c4c0", floor="#b3aca2", fabric="#8b8b88", accent="#666666"
)
PALETTES: Mapping[str, Palette] = {
    "modern": Palette(
        wall="#6f879e", side="#58728c", floor="#a39d96", fabric="#2f3640", accent="#c98f2e"
    ),
    "minimalistic": Palette(
        wall="#f6f4ef", side="#e8e4dc", floor="#d3cabc", fabric="#b9b4aa", accent="#8c857a"
    ),
    "bohemian": Palette(
        wall="#cf7656", side="#b85f45", floor="#a86c43", fabric="#e3b04b", accent="#3f7a5c"
    ),
    "scandinavian": Palette(
        wall="#d3e0e6", side="#bfd0d9", floor="#dcc39b", fabric="#7f9db5", accent="#f2c46d"
    ),
    "industrial": Palette(
        wall="#77726c", side="#5d6468", floor="#565350", fabric="#9a5b34", accent="#e0a458"
    ),
    "japandi": Palette(
        wall="#c6bf9b", side="#b0a888", floor="#c39f6d", fabric="#6f7a58", accent="#3c352c"
    ),
    "rustic": Palette(
        wall="#dcae62", side="#c38f4e", floor="#7d5230", fabric="#7d3b2a", accent="#f0e2c4"
    ),
    "vintage": Palette(
        wall="#a9bfb4", side="#93aca0", floor="#a9794a", fabric="#c08b96", accent="#d9a441"
    ),
    "christmas": Palette(
        wall="#3b7a52", side="#2c6241", floor="#7c4f30", fabric="#b01f2a", accent="#f3d27a"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleCard:
    id: str
    name: str
    words: str
    palette: Palette


def style_cards(styles: Iterable[Style]) -> list[StyleCard]:
    """Return what the page shows of each style; one of the operator's own is drawn in greys."""
    return [
        StyleCard(
            id=style.style_id,
            name=style.display_name,
            words=", ".join([tag for tag in style.tags if tag not in HIDDEN_TAGS][:2]),
            palette=PALETTES.get(style.style_id, NEUTRAL),
        )
        for style in styles
    ]
