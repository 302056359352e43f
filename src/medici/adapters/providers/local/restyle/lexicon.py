"""Reads a style's name and the customer's free words into one look."""

import difflib
import re
from dataclasses import dataclass, replace

from medici.adapters.providers.local.restyle.styles import NEUTRAL, STYLES, Grade, Style
from medici.adapters.providers.local.restyle.words import (
    COLOURS,
    FLOORS,
    MOODS,
    PLACES,
    SHADES,
    SILENT,
    SYNONYMS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What to do to a picture, after all words were understood or given up."""

    style: Style
    wall: str | None
    floor: str | None
    fabric: str | None
    grade: Grade
    unknown: tuple[str, ...]  # words of the prompt that mean nothing here
    notes: tuple[str, ...]


def read(style: str, prompt: str, seed: int) -> Look:
    """Return the look that a style id and free words ask for.

    Words win over the style: "sage green walls" repaints the walls of any style.
    """
    style_id, notes = _style_id(style)
    chosen = STYLES[style_id] if style_id else NEUTRAL
    wishes = _Wishes()
    for word in re.findall(r"[a-zà-ÿ#0-9]+", prompt.lower()):
        wishes.hear(word)
    wishes.settle()
    grade = combined(chosen.grade, *wishes.moods)
    return Look(
        style=chosen,
        wall=wishes.paints.get("walls") or _pick(chosen.walls, seed),
        floor=wishes.paints.get("floor") or chosen.floor,
        fabric=wishes.paints.get("fabric") or chosen.fabric,
        grade=grade,
        unknown=tuple(dict.fromkeys(wishes.unknown)),
        notes=notes,
    )


def combined(first: Grade, *others: Grade) -> Grade:
    """Add grades up, with every sum kept within what still looks like a photograph."""
    for other in others:
        first = Grade(
            exposure=_within(first.exposure + other.exposure, 1.3),
            contrast=_within(first.contrast + other.contrast, 0.45),
            warmth=_within(first.warmth + other.warmth, 0.5),
            saturation=_within(first.saturation + other.saturation, 0.5),
            fade=_within(first.fade + other.fade, 0.6),
            shadows=(first.shadows[0] + other.shadows[0], first.shadows[1] + other.shadows[1]),
            lights=(first.lights[0] + other.lights[0], first.lights[1] + other.lights[1]),
            vignette=_within(first.vignette + other.vignette, 0.45),
            dusk=first.dusk or other.dusk,
        )
    return first


class _Wishes:
    """Collects words from left to right; a colour waits for the place it belongs to."""

    def __init__(self) -> None:
        self.paints: dict[str, str] = {}
        self.moods: list[Grade] = []
        self.unknown: list[str] = []
        self._colour: str | None = None
        self._shade: str | None = None
        self._home = "walls"

    def hear(self, word: str) -> None:
        if word in PLACES:
            self._place(PLACES[word])
        elif word in COLOURS or word in FLOORS:
            self._paint(word)
        elif word in SHADES:
            self._say_shade()
            self._shade = word
        elif word in MOODS:
            self.moods.append(MOODS[word])
        elif name := SYNONYMS.get(word, word if word in STYLES else ""):
            self.moods.append(_hint_of(STYLES[name].grade))
        elif word not in SILENT:
            self.unknown.append(word)

    def settle(self) -> None:
        """Give what still waits a meaning: its usual place to a colour, the light to a shade."""
        if self._colour is not None:
            self._place(self._home)
        self._say_shade()

    def _paint(self, word: str) -> None:
        if self._colour is not None:  # "sage green": the first word is the more exact one
            return
        self._home = "floor" if word in FLOORS else "walls"
        colour = FLOORS.get(word) or COLOURS[word]
        self._colour = _shaded(colour, SHADES[self._shade]) if self._shade else colour
        self._shade = None

    def _place(self, place: str) -> None:
        if self._colour is not None:
            self.paints[place] = self._colour
            self._colour = None

    def _say_shade(self) -> None:
        if self._shade is not None:
            self.moods.append(MOODS.get(self._shade, Grade()))
        self._shade = None


def _style_id(style: str) -> tuple[str | None, tuple[str, ...]]:
    asked = style.strip().lower()
    exact = SYNONYMS.get(asked, asked)
    if exact in STYLES:
        return exact, ()
    for word in re.split(r"[^a-z]+", asked):
        if SYNONYMS.get(word, word) in STYLES:
            return SYNONYMS.get(word, word), ()
    near = difflib.get_close_matches(asked, [*STYLES, *SYNONYMS], 1, 0.75)
    if near:
        found = SYNONYMS.get(near[0], near[0])
        return found, (
            f"The style “{style}” is not known here; {STYLES[found].name} came closest.",
        )
    return None, (f"The style “{style}” is not known here; a neutral mood was used.",)


def _hint_of(grade: Grade) -> Grade:
    """Return a grade that a style named in the prompt adds to the chosen one."""
    return replace(grade, exposure=grade.exposure * 0.8, contrast=grade.contrast * 0.5)


def _shaded(colour: str, factor: float) -> str:
    def channel(start: int) -> int:
        value = int(colour[start : start + 2], 16)
        return round(value * factor) if factor < 1 else round(255 - (255 - value) / factor)

    return "#" + "".join(f"{channel(start):02x}" for start in (1, 3, 5))


def _pick(walls: tuple[str, ...], seed: int) -> str | None:
    return walls[seed % len(walls)] if walls else None


def _within(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))
