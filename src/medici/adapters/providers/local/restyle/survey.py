"""Looks at a picture several times and keeps what the looks agree on.

A faint edge is seen at one size of the picture and missed at another. What only one look takes
for a wall is left alone; how far the looks agree is part of the confidence.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from medici.adapters.providers.local.restyle import gate, settling
from medici.adapters.providers.local.restyle.colour import Bytes, Flags, Floats
from medici.adapters.providers.local.restyle.surfaces import Room, look, look_inside
from medici.adapters.providers.local.restyle.view import View

SIDE: Final = 400  # longer side of the small copy that masks refer to, pixels
OTHER_SIDES: Final = (340, 460)


def shrunk(pixels: Bytes, side: int = SIDE) -> Bytes:
    """Return a copy whose longer side is at most ``side``."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def survey(pixels: Bytes, hint: Flags | None = None) -> Room:
    """Return the room in a picture; its masks have the size of ``shrunk(pixels)``.

    A ``hint`` of that size needs one look only: the customer knows where the wall is.
    """
    view = View.of(shrunk(pixels))
    if hint is not None:
        return look_inside(view, hint)
    others = [look(View.of(shrunk(pixels, side))) for side in OTHER_SIDES]
    room = _agreed([look(view), *(_fitted(room, view.shape) for room in others)])
    return _settled(room, view) if room.walls else room


def _settled(room: Room, view: View) -> Room:
    """Return the room with the borders of its walls on outlines, as far as there are any."""
    barred = room.ceiling | (room.windows > 0.5)
    if room.floor is not None:
        barred = barred | room.floor
    walls = settling.settled(room.walls, view, barred)
    return replace(room, walls=walls, confidence=min(room.confidence, gate.trust(walls, view)))


def _agreed(rooms: Sequence[Room]) -> Room:
    """Return the room most like the others, without walls that a minority saw."""
    masks = [room.wall_mask for room in rooms]
    likeness = [
        float(np.mean([_overlap(mask, other) for other in masks if other is not mask]))
        for mask in masks
    ]
    best = int(np.argmax(likeness))
    seen = np.sum(masks, axis=0) > len(masks) / 2
    walls = tuple(wall & seen for wall in rooms[best].walls)
    confidence = min(rooms[best].confidence, likeness[best])
    return replace(rooms[best], walls=walls, confidence=confidence)


def _overlap(one: Flags, other: Flags) -> float:
    """Return the area in common as a share of the area of both."""
    both = int((one | other).sum())
    return int((one & other).sum()) / both if both else 0.0


def _fitted(room: Room, shape: tuple[int, int]) -> Room:
    floor = None if room.floor is None else _fitted_mask(room.floor, shape)
    return replace(
        room,
        walls=tuple(_fitted_mask(wall, shape) for wall in room.walls),
        floor=floor,
        ceiling=_fitted_mask(room.ceiling, shape),
        windows=_resized(room.windows, shape),
    )


def _fitted_mask(mask: Flags, shape: tuple[int, int]) -> Flags:
    return _resized(mask.astype(np.float32), shape) > 0.5


def _resized(plane: Floats, shape: tuple[int, int]) -> Floats:
    size = (shape[1], shape[0])
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)
