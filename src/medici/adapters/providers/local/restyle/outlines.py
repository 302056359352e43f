"""Draws the outlines that no paint may cross: fine edges and long straight lines.

Stricter than the edges that cut regions: what only a blurred look sees is a change of light.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from medici.adapters.providers.local.restyle.colour import Flags, Floats

CERTAIN: Final = 1.8  # step in Lab units that proves an outline
POSSIBLE: Final = 0.7  # step from which an outline goes on
LEAST_LENGTH: Final = 8  # pixels; shorter ones are grain
LINE: Final = 0.8  # step of a straight line, Lab units
LINE_LENGTH: Final = 14  # pixels
BESIDE: Final = 9  # pixels; the square in which a strong edge sends echoes of lines


def outlines(fine: Floats, lines: Floats) -> Flags:
    """Return where outlines run, from the heights of fine ridges and of straight lines."""
    return _proved(fine) | _long(_without_echoes(lines, fine))


def _proved(fine: Floats) -> Flags:
    """Keep connected ridges that are long enough and certain somewhere."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((fine > POSSIBLE).astype(np.uint8))
    certain = np.bincount(labels[fine > CERTAIN], minlength=count) > 0
    return _kept(
        np.asarray(labels, np.int32), certain & (stats[:, cv2.CC_STAT_AREA] >= LEAST_LENGTH)
    )


def _without_echoes(lines: Floats, fine: Floats) -> Flags:
    loudest = cv2.dilate(fine, np.ones((BESIDE, BESIDE), np.uint8))
    return np.asarray((lines > LINE) & (lines > 0.5 * loudest), dtype=np.bool_)


def _long(lines: Flags) -> Flags:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8))
    sides = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    return _kept(np.asarray(labels, np.int32), sides >= LINE_LENGTH)


def _kept(labels: NDArray[np.int32], kept: Flags) -> Flags:
    kept[0] = False  # the background
    return np.asarray(kept[labels], dtype=np.bool_)
