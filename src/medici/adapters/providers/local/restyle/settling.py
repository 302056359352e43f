"""Settles the borders of painted walls: they follow outlines and do not end on a flat area.

Works on the walls that several looks agreed on. Patches of light leave gaps in them, and things in
the wall's colour slip in; both end at an outline.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from medici.adapters.providers.local.restyle import protect
from medici.adapters.providers.local.restyle.colour import Flags, Floats
from medici.adapters.providers.local.restyle.view import View, union

REACH: Final = 0.14  # share of the longer side by which a wall may grow
ROUNDS: Final = 14
STRIDE: Final = 10  # pixels in a round
AROUND: Final = 25  # pixels; the square in which the wall's colour is averaged
LIGHTER: Final = 10.0  # Lab units in L
DARKER: Final = 7.0  # Lab units in L
HUED: Final = 4.0  # Lab units of a and b together
LEAST_PIECE: Final = 0.013  # share of the picture; smaller pieces inside outlines are things


def settled(walls: Sequence[Flags], view: View, barred: Flags) -> tuple[Flags, ...]:
    """Return the walls with their borders on outlines; what has become one takes one paint."""
    mask = union(walls, view.shape)
    fence = _wider(view.outlines, 1)
    free = _wider(mask, round(REACH * max(view.shape))) & ~fence & ~barred
    pieces = _large(_spread(mask & ~fence, view.smoothed, free))
    return _shared(_up_to_outlines(pieces, view, barred), walls)


def _spread(mask: Flags, lab: Floats, free: Flags) -> Flags:
    """Let a wall spread over what is free and has the colour of the wall beside it."""
    for _ in range(ROUNDS):
        before = mask
        mask = _reached(mask, mask | (_alike(lab, mask) & free & _wider(mask, STRIDE)))
        if np.array_equal(mask, before):
            break
    return mask


def _alike(lab: Floats, mask: Flags) -> Flags:
    """Light varies on one wall, its hue hardly; a step into the dark is mostly another thing."""
    difference = lab - protect.local_mean(lab, mask, AROUND)
    light = difference[..., 0]
    hued = np.hypot(difference[..., 1], difference[..., 2])
    return np.asarray((light < LIGHTER) & (light > -DARKER) & (hued < HUED), dtype=np.bool_)


def _reached(seeds: Flags, passable: Flags) -> Flags:
    count, labels = cv2.connectedComponents(passable.astype(np.uint8), connectivity=4)
    kept = np.bincount(labels[seeds], minlength=count) > 0
    kept[0] = False
    return np.asarray(kept[labels], dtype=np.bool_)


def _large(mask: Flags) -> Flags:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    kept = stats[:, cv2.CC_STAT_AREA] > LEAST_PIECE * mask.size
    kept[0] = False
    return np.asarray(kept[labels], dtype=np.bool_)


def _up_to_outlines(mask: Flags, view: View, barred: Flags) -> Flags:
    """Take back what the fence is wider than an outline, and thin cracks in the wall."""
    for _ in range(2):
        mask = mask | (_wider(mask, 1) & ~view.outlines & ~barred)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return mask | ((closed > 0) & ~barred & _alike(view.lab, mask))


def _shared(mask: Flags, walls: Sequence[Flags]) -> tuple[Flags, ...]:
    """Give each connected piece to the wall that has most of it, so that no seam shows."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    parts = np.stack([np.bincount(labels[wall], minlength=count) for wall in walls])
    owner = np.where(parts.any(axis=0), parts.argmax(axis=0), -1)
    owner[0] = -1  # not wall
    shares = (np.asarray(owner[labels] == index, dtype=np.bool_) for index in range(len(walls)))
    return tuple(share for share in shares if share.any())


def _wider(mask: Flags, reach: int) -> Flags:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    box = np.ones((3, 3), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), box if reach == 1 else disc) > 0
