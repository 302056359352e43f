"""Grows a surface from its sure patches to the edges that end it."""

from typing import Final

import cv2
import numpy as np

from medici.adapters.providers.local.restyle import protect
from medici.adapters.providers.local.restyle.colour import Flags
from medici.adapters.providers.local.restyle.view import View

CREEP: Final = 8  # pixels in a round
ROUNDS: Final = 5
RIM: Final = 2  # pixels
LIGHTER: Final = 8.0  # Lab units that the light may change across a surface, near by
HUED: Final = 4.0  # the same for a and b
STOPS: Final = 3.0  # height of an edge that ends the creeping


def grown(mask: Flags, view: View, barred: Flags) -> Flags:
    """Let a surface creep over what lies around it in its colour, as far as the next edge.

    It looks again at the colour beside it after each round, so it follows the light. The fence is
    wider than an edge, since thin ridges have gaps; the last round goes up to the edge itself.
    """
    fence = cv2.dilate(view.edges, np.ones((3, 3), np.uint8))
    for _ in range(ROUNDS):
        mask = _crept(mask, _alike(mask, view) & (fence < STOPS) & ~barred, CREEP)
    mask = _crept(mask, _alike(mask, view) & (view.edges < STOPS) & ~barred, RIM)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return mask | ((closed > 0) & ~barred)


def _alike(mask: Flags, view: View) -> Flags:
    difference = np.abs(view.lab - protect.local_mean(view.lab, mask, 31))
    light, red, yellow = (difference[..., channel] for channel in range(3))
    return np.asarray((light < LIGHTER) & (red < HUED) & (yellow < HUED), dtype=np.bool_)


def _crept(mask: Flags, passable: Flags, steps: int) -> Flags:
    wide = mask.astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for _ in range(steps):
        wide |= cv2.dilate(wide, cross).astype(np.uint8) & passable
    return wide > 0
