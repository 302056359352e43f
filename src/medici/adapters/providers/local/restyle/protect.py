"""Finds what paint must not touch: windows, and things that stand before a wall."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from medici.adapters.providers.local.restyle.colour import Flags, Floats

BLOWN: Final = 95.0  # Lab lightness from which a pane only shows light
LEAST_WINDOW: Final = 0.0025  # share of the picture
LOWEST_WINDOW: Final = 0.72  # height of its centre, from above

Bits = NDArray[np.uint8]  # height x width, 0 or 1


def windows(lab: Floats) -> Floats:
    """Return how much each pixel belongs to a window, 0..1, with a rim for its glow.

    A window is an area of blown light; bars and panes between such areas count as well.
    """
    blown = (lab[..., 0] > BLOWN).astype(np.uint8)
    bars = max(3, round(0.025 * max(blown.shape)) | 1)
    closed = cv2.morphologyEx(blown, cv2.MORPH_CLOSE, np.ones((bars, bars), np.uint8))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    kept = _panes(opened.astype(np.uint8))
    rim = cv2.dilate(kept, np.ones((3, 3), np.uint8)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(rim, (0, 0), 1.2), dtype=np.float32)


def lamps(lab: Floats) -> Floats:
    """Return the lamps that are lit, 0..1: small, bright, warm, high up and clear of the rim."""
    bright = (lab[..., 0] > 88).astype(np.uint8)
    joined = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, labels, stats, centres = cv2.connectedComponentsWithStats(joined)
    height, width = labels.shape
    left, top, wide, tall, area = stats.T
    size = area / labels.size
    kept = (size > 0.0004) & (size < 0.02) & (centres[:, 1] < 0.5 * height)
    kept &= (wide < 2.5 * tall) & (tall < 2.5 * wide) & (area > 0.45 * wide * tall)
    warmth = np.bincount(labels.ravel(), lab[..., 2].ravel()) / np.maximum(area, 1)
    kept &= (warmth > 2) & (left > 2) & (top > 2) & (left + wide < width - 2)
    kept[0] = False
    return np.asarray(cv2.GaussianBlur(kept[labels].astype(np.float32), (0, 0), 1), np.float32)


def foreign(lab: Floats, mask: Flags) -> Flags:
    """Return the pixels of a surface whose colour is not the surface's: things in front of it.

    Skin, plants, cushions and frames stand out in hue from the wall around them, so one rule
    serves all.
    """
    difference = lab - local_mean(lab, mask, 61)
    apart = np.hypot(difference[..., 1], difference[..., 2]) > 11
    dark = difference[..., 0] < -24
    return np.asarray(mask & (apart | dark), dtype=np.bool_)


def local_mean(lab: Floats, mask: Flags, size: int) -> Floats:
    """Return the mean colour of the masked pixels around each pixel, in a square of ``size``."""
    weight = mask.astype(np.float32)
    total = cv2.blur(weight, (size, size))[..., None]
    mean = cv2.blur(lab * weight[..., None], (size, size)) / np.maximum(total, 1e-6)
    return np.where(total > 1e-4, mean, lab).astype(np.float32)


def _panes(mask: Bits) -> Bits:
    """Keep large patches; those low in the picture are sun on the floor."""
    _, labels, stats, centres = cv2.connectedComponentsWithStats(mask)
    kept = stats[:, cv2.CC_STAT_AREA] >= LEAST_WINDOW * labels.size
    kept &= centres[:, 1] < LOWEST_WINDOW * labels.shape[0]
    kept[0] = False
    return np.asarray(kept[labels], dtype=np.uint8)
