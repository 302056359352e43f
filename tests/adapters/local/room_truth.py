"""Walls and windows of the test pictures, drawn by hand.

Corners are shares of width and height, measured from the upper left.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ROOMS = Path(__file__).parents[2] / "data" / "rooms"

Corners = tuple[tuple[float, float], ...]
Flags = NDArray[np.bool_]


def box(left: float, top: float, right: float, bottom: float) -> Corners:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a person sees in one picture; ``before`` stands in front of the walls."""

    walls: tuple[Corners, ...]
    before: tuple[Corners, ...]
    panes: tuple[Corners, ...]

    def wall_mask(self, height: int, width: int) -> Flags:
        return _drawn(self.walls, height, width) & ~_drawn(self.before, height, width)

    def pane_mask(self, height: int, width: int) -> Flags:
        return _drawn(self.panes, height, width)


TRUTHS = {
    "bedroom-1": Truth(
        walls=(
            ((0, 0.145), (0.255, 0.295), (0.26, 0.665), (0, 0.835)),
            (
                *((0.258, 0.295), (0.615, 0.278), (0.868, 0.485), (0.866, 0.62), (0.836, 0.62)),
                *((0.836, 0.662), (0.49, 0.664), (0.487, 0.312), (0.262, 0.312)),
            ),
            (
                *((0.87, 0.485), (1, 0.485), (1, 0.595), (0.93, 0.585), (0.9, 0.575)),
                *((0.9, 0.55), (0.87, 0.55)),
            ),
        ),
        before=(
            ((0.045, 0.315), (0.16, 0.355), (0.162, 0.53), (0.05, 0.54)),
            box(0.535, 0.35, 0.63, 0.555),
        ),
        panes=(
            ((0.77, 0.31), (0.985, 0.47), (0.93, 0.47), (0.75, 0.33)),
            ((0.98, 0.12), (1, 0.13), (1, 0.25), (0.92, 0.19)),
        ),
    ),
    "kitchen-1": Truth(
        walls=(
            (
                *((0, 0), (0.165, 0), (0.405, 0.225), (0.505, 0.2), (0.57, 0.2), (0.57, 0.6)),
                *((0.52, 0.59), (0.51, 0.55), (0.51, 0.305), (0.43, 0.3), (0.355, 0.275)),
                *((0.2, 0.185), (0.125, 0.14), (0.08, 0.14), (0.075, 0.165), (0, 0.17)),
            ),
            ((0.68, 0.195), (0.75, 0.19), (0.75, 0.715), (0.7, 0.71), (0.7, 0.6), (0.68, 0.58)),
            (
                *((0.75, 0.19), (0.785, 0.08), (0.785, 0.6), (0.765, 0.64), (0.765, 0.75)),
                (0.75, 0.715),
            ),
            (
                *((0.895, 0), (1, 0), (1, 1), (0.85, 1), (0.85, 0.96), (0.84, 0.7)),
                *((0.885, 0.72), (0.89, 0.3)),
            ),
        ),
        before=(box(0.445, 0.15, 0.53, 0.25),),
        panes=(box(0.865, 0.03, 0.885, 0.4),),
    ),
    "living-room-1": Truth(
        walls=(),
        before=(),
        panes=(
            box(0.28, 0.02, 0.35, 0.13),
            box(0.37, 0.16, 0.43, 0.29),
            box(0.635, 0.02, 0.7, 0.13),
            box(0.635, 0.16, 0.7, 0.3),
        ),
    ),
    "living-room-2": Truth(
        walls=(
            (
                *((0, 0), (0.15, 0), (0.14, 0.15), (0.1, 0.45), (0.09, 0.6), (0.08, 0.67)),
                (0, 0.67),
            ),
            (
                *((0.905, 0), (1, 0), (1, 0.28), (0.975, 0.3), (0.97, 0.38), (1, 0.39)),
                *((1, 0.56), (0.92, 0.57), (0.915, 0.3)),
            ),
        ),
        before=(box(0, 0.03, 0.14, 0.15),),
        panes=(box(0.35, 0.03, 0.63, 0.28), ((0.24, 0.03), (0.3, 0.03), (0.3, 0.38), (0.17, 0.38))),
    ),
    "living-room-3": Truth(
        walls=(
            (
                *((0.065, 0.07), (0.855, 0.07), (0.857, 0.145), (1, 0.14), (1, 0.6), (0.89, 0.57)),
                *((0.89, 0.82), (0.878, 0.82), (0.862, 0.443), (0.713, 0.441), (0.715, 0.6)),
                *((0.69, 0.6), (0.69, 0.585), (0.4, 0.585), (0.26, 0.6), (0.21, 0.625)),
                *((0.2, 0.8), (0.12, 0.8), (0.12, 0.72), (0.1, 0.7), (0.118, 0.6), (0.1, 0.575)),
                (0.065, 0.575),
            ),
        ),
        before=(
            box(0.092, 0.36, 0.2, 0.495),
            ((0.31, 0.265), (0.603, 0.262), (0.603, 0.525), (0.31, 0.525)),
            box(0.92, 0.25, 0.99, 0.37),
        ),
        panes=(),
    ),
}


def _drawn(shapes: tuple[Corners, ...], height: int, width: int) -> Flags:
    canvas = np.zeros((height, width), np.uint8)
    for corners in shapes:
        points = np.rint(np.array(corners) * (width - 1, height - 1)).astype(np.int32)
        cv2.fillPoly(canvas, [points], 1)
    return canvas > 0
