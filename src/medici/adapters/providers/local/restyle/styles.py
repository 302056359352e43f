"""The styles as data: paint, floor, fabric and light of each."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How light and colour of the whole picture change. Zeroes change nothing."""

    exposure: float = 0.0  # stops
    contrast: float = 0.0  # -1..1
    warmth: float = 0.0  # -1 blue .. 1 amber
    saturation: float = 0.0  # -1 grey .. 1 double
    fade: float = 0.0  # 0..1, lifts the blacks
    shadows: tuple[float, float] = (0.0, 0.0)  # Lab a and b added to the shadows
    lights: tuple[float, float] = (0.0, 0.0)  # Lab a and b added to the highlights
    vignette: float = 0.0  # 0..1
    dusk: bool = False  # windows turn blue, lamps glow


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Colours are written ``#rrggbb``; the seed chooses among the walls."""

    name: str
    walls: tuple[str, ...] = ()
    floor: str | None = None
    fabric: str | None = None
    grade: Grade


STYLES: Final[dict[str, Style]] = {
    "modern": Style(
        name="Modern",
        walls=("#33656a", "#58728c"),
        floor="#8f8b86",
        fabric="#c98f2e",
        grade=Grade(exposure=-0.12, contrast=0.22, saturation=-0.05, warmth=-0.05, vignette=0.12),
    ),
    "minimalistic": Style(
        name="Minimalistic",
        walls=("#fbfaf6", "#f4f2ee"),
        floor="#cfc6b8",
        fabric="#b9b4aa",
        grade=Grade(exposure=0.35, contrast=-0.1, saturation=-0.4, fade=0.1),
    ),
    "bohemian": Style(
        name="Bohemian",
        walls=("#c9584a", "#b9607a"),
        floor="#b5764a",
        fabric="#b3402f",
        grade=Grade(
            exposure=0.05, contrast=0.12, saturation=0.2, warmth=0.15, shadows=(7, 2), vignette=0.15
        ),
    ),
    "scandinavian": Style(
        name="Scandinavian",
        walls=("#b4cfe0", "#c2d8dc"),
        floor="#dcc39b",
        fabric="#7f9db5",
        grade=Grade(exposure=0.25, contrast=-0.05, saturation=-0.1, warmth=-0.25, fade=0.08),
    ),
    "industrial": Style(
        name="Industrial",
        walls=("#6b6762", "#5d6468"),
        floor="#77736e",
        fabric="#9a5b34",
        grade=Grade(exposure=-0.2, contrast=0.25, saturation=-0.4, shadows=(-2, -5), vignette=0.28),
    ),
    "japandi": Style(
        name="Japandi",
        walls=("#9da374", "#a9a58a"),
        floor="#c9a878",
        fabric="#6f7a58",
        grade=Grade(
            exposure=-0.05, contrast=-0.08, saturation=-0.1, warmth=0.08, fade=0.1, lights=(-2, 3)
        ),
    ),
    "rustic": Style(
        name="Rustic",
        walls=("#c8863c", "#c9925c"),
        floor="#8a5a33",
        fabric="#7d3b2a",
        grade=Grade(
            exposure=-0.2, contrast=0.18, saturation=0.1, warmth=0.32, shadows=(3, 7), vignette=0.2
        ),
    ),
    "vintage": Style(
        name="Vintage",
        walls=("#a68a9e", "#93b0a6"),
        floor="#a9794a",
        fabric="#5d8a86",
        grade=Grade(
            contrast=-0.2, saturation=-0.25, warmth=0.12, fade=0.5, shadows=(2, -5), lights=(2, 8)
        ),
    ),
    "christmas": Style(
        name="Christmas",
        walls=("#1a6e50", "#8e2f2f"),
        floor="#7c4f30",
        fabric="#b01f2a",
        grade=Grade(
            exposure=-0.25, contrast=0.15, saturation=0.15, warmth=0.25, lights=(3, 7), vignette=0.3
        ),
    ),
    "evening": Style(
        name="Evening",
        grade=Grade(
            exposure=-1.5,
            contrast=0.1,
            saturation=-0.1,
            warmth=-0.3,
            shadows=(3, -11),
            lights=(3, 2),
            vignette=0.35,
            dusk=True,
        ),
    ),
}

NEUTRAL: Final = Style(name="Neutral", grade=Grade(contrast=0.1, saturation=0.05))
