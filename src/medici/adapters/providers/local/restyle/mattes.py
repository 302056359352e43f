"""Enlarges a surface found on a small copy to the full picture, with borders on the real edges."""

import cv2
import numpy as np

from medici.adapters.providers.local.restyle.colour import Flags, Floats, dot


def matte(mask: Flags, lab: Floats) -> Floats:
    """Return how much of each pixel is surface, 0..1, at the size of ``lab``.

    Near the border a pixel is placed between the colour of the surface beside it and the colour
    of what is beyond, so the border follows the picture to the pixel. Where both colours are
    alike, the enlarged mask decides.
    """
    height, width = lab.shape[:2]
    scale = max(1.0, width / mask.shape[1])
    rough = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(rough, (0, 0), 1.0 * scale)
    inside, outside = _reach(rough > 0.5, scale)
    size = 2 * round(7 * scale) + 1
    between, trust = _between(lab, inside, outside, size)
    border = ((soft > 0.02) & (soft < 0.98)).astype(np.float32)
    wider = cv2.dilate(border, np.ones((3, 3), np.uint8))
    weight = trust * np.clip(cv2.GaussianBlur(wider, (0, 0), 0.5 * scale), 0, 1)
    return np.asarray(weight * between + (1 - weight) * soft, dtype=np.float32)


def _reach(mask: Flags, scale: float) -> tuple[Floats, Floats]:
    """Return the sure parts on both sides of the border."""
    box = np.ones((2 * round(2 * scale) + 1,) * 2, np.uint8)
    whole = mask.astype(np.uint8)
    return cv2.erode(whole, box).astype(np.float32), 1 - cv2.dilate(whole, box).astype(np.float32)


def _between(lab: Floats, inside: Floats, outside: Floats, size: int) -> tuple[Floats, Floats]:
    near, far = _mean(lab, inside, size), _mean(lab, outside, size)
    axis = near - far
    length = np.maximum(dot(axis, axis), 1e-3)
    place = dot(lab - far, axis) / length
    trust = np.clip((np.sqrt(length) - 4) / 6, 0, 1)
    return np.clip((place - 0.15) / 0.7, 0, 1), trust.astype(np.float32)


def _mean(lab: Floats, weight: Floats, size: int) -> Floats:
    total = cv2.blur(weight, (size, size))[..., None]
    mean = cv2.blur(lab * weight[..., None], (size, size)) / np.maximum(total, 1e-6)
    return np.where(total > 1e-3, mean, lab).astype(np.float32)
