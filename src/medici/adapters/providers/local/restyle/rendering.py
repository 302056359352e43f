"""Makes the new pixels from what was seen and what was asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from medici.adapters.providers.local.restyle import grade, paint, protect
from medici.adapters.providers.local.restyle.colour import (
    Bytes,
    Flags,
    Floats,
    from_lab,
    linear_to_lab,
    to_lab,
    to_linear,
)
from medici.adapters.providers.local.restyle.lexicon import Look
from medici.adapters.providers.local.restyle.mattes import matte
from medici.adapters.providers.local.restyle.surfaces import Room

ASIDE = 0.35  # strength of the grade when only a part of the room was asked for
SEEN = 0.001  # share of the picture from which dyed fabric is worth a word
WINDOW_SHARE = 0.12  # part of the change by day that windows follow


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Which parts of the room may change."""

    walls: bool
    floor: bool
    fabric: bool

    @classmethod
    def of(cls, names: tuple[str, ...]) -> Self:
        """Read wire names; none at all means the full room."""
        full = "full_room" in names or not names
        return cls(
            walls=full or "walls" in names,
            floor=full or "floor" in names,
            fabric=full or "furniture" in names or "decor" in names,
        )

    @property
    def full(self) -> bool:
        return self.walls and self.floor and self.fabric

    @property
    def strength(self) -> float:
        """Return how much of the grade the picture takes."""
        return 1.0 if self.full else ASIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The survey and the small copy that it was made of."""

    room: Room
    small: Bytes
    hint: Flags | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    pixels: Bytes
    painted: tuple[str, ...]
    dyed: bool  # whether fabrics took another colour


def render(
    pixels: Bytes, scene: Scene, look: Look, parts: Parts, tell: Callable[[float], None]
) -> Made:
    """Return the picture painted, graded, stained and dyed."""
    lab = to_lab(pixels)
    light, walls = _walls(to_linear(pixels), lab, scene, look, parts)
    tell(0.6)
    graded = linear_to_lab(np.clip(_lit(light, pixels, scene, look, parts), 0, 1))
    windows = _enlarged(scene.room.windows, lab)
    floor = _floor(lab, windows, scene, look, parts)
    if floor.any():
        graded = paint.stain(graded, floor, _median(graded, floor), str(look.floor))
    cloth = _cloth(lab, [windows, walls, floor], scene, look, parts)
    if cloth.any():
        graded = grade.dye(graded, cloth, str(look.fabric))
    tell(0.8)
    toned = from_lab(grade.tone(graded, look.grade, parts.strength))
    made = toned if look.grade.dusk else _windows_kept(toned, pixels, windows)
    painted = ("wall",) * bool(walls.any()) + ("floor",) * bool(floor.any())
    return Made(pixels=made, painted=painted, dyed=float(cloth.mean()) > SEEN)


def _walls(
    light: Floats, lab: Floats, scene: Scene, look: Look, parts: Parts
) -> tuple[Floats, Floats]:
    """Return the light with painted walls, and how much of each pixel was painted."""
    room = scene.room
    covered = np.zeros(light.shape[:2], np.float32)
    if not (parts.walls and look.wall and room.sure):
        return light, covered
    small = to_linear(scene.small)
    panes = room.windows > 0.3
    white = paint.white_point(small, room.ceiling, room.wall_mask, panes)
    clear = 1 - _enlarged(room.windows, lab)
    for wall in room.walls:
        share = matte(wall, lab) * clear
        factor = paint.gain(np.median(small[wall], axis=0), white, look.wall)
        light = paint.paint(light, share, factor)
        covered = np.maximum(covered, share)
    return light, covered


def _lit(light: Floats, pixels: Bytes, scene: Scene, look: Look, parts: Parts) -> Floats:
    """Return the painted room in the light of the look."""
    exposed = grade.expose(light, look.grade, parts.strength)
    if not look.grade.dusk:
        return exposed
    lamps = _enlarged(protect.lamps(to_lab(scene.small)), light)
    day = grade.daylight(to_linear(pixels), _enlarged(scene.room.windows, light))
    return grade.dusk(exposed, day * (1 - lamps), lamps)


def _floor(lab: Floats, windows: Floats, scene: Scene, look: Look, parts: Parts) -> Floats:
    """Return how much of each pixel is floor to be stained."""
    floor = scene.room.floor
    if floor is None or not parts.floor or look.floor is None:
        return np.zeros(lab.shape[:2], np.float32)
    return matte(floor, lab) * (1 - windows)


def _cloth(lab: Floats, kept: Sequence[Floats], scene: Scene, look: Look, parts: Parts) -> Floats:
    """Return how much of each pixel is fabric to be dyed."""
    if not (parts.fabric and look.fabric):
        return np.zeros(lab.shape[:2], np.float32)
    keep = np.maximum.reduce(kept)
    if scene.hint is not None:
        keep = np.maximum(keep, _enlarged((~scene.hint).astype(np.float32), keep))
    return grade.fabrics(lab, keep)


def _windows_kept(toned: Bytes, pixels: Bytes, windows: Floats) -> Bytes:
    kept = ((1 - WINDOW_SHARE) * windows)[..., None]
    return np.asarray(np.rint(toned + kept * (pixels.astype(np.float32) - toned)), dtype=np.uint8)


def _median(lab: Floats, share: Floats) -> Floats:
    return np.asarray(np.median(lab[share > 0.5][::7], axis=0), dtype=np.float32)


def _enlarged(plane: Floats, like: Floats) -> Floats:
    size = (like.shape[1], like.shape[0])
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)
