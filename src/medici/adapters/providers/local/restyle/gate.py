"""Doubts settled walls: a plain grade is better than paint that looks wrong."""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import cv2
import numpy as np

from medici.adapters.providers.local.restyle.colour import Flags
from medici.adapters.providers.local.restyle.surfaces import SURE
from medici.adapters.providers.local.restyle.view import View, union

MOST_FLAT: Final = 0.15  # share of the border without an outline
MOST_APART: Final = 8.0  # Lab units between the tints of two walls


def trust(walls: Sequence[Flags], view: View) -> float:
    """Return the confidence that paint on these walls looks right; ``SURE`` is enough."""
    smooth_ends = MOST_FLAT - flat_share(union(walls, view.shape), view)
    one_tint = (MOST_APART - tints_apart(walls, view)) / MOST_APART
    return SURE + min(smooth_ends, one_tint)


def flat_share(mask: Flags, view: View) -> float:
    """Return which part of a mask's border lies where the picture shows no outline, 0..1."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0
    rim = mask & ~inner
    near = cv2.dilate(view.outlines.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return float((~near)[rim].mean()) if rim.any() else 0.0


def tints_apart(walls: Sequence[Flags], view: View) -> float:
    """Return the largest distance in a and b between two walls.

    Paint changes light by a limited factor: walls far apart, in paint or in the colour of the
    light on them, would not come out as walls of one colour.
    """
    tints = [np.median(view.lab[wall][:, 1:], axis=0) for wall in walls]
    return max((float(np.linalg.norm(a - b)) for a, b in combinations(tints, 2)), default=0.0)
