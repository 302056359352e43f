"""Paints walls and stains floors without touching light and grain."""

from typing import Final

import numpy as np

from medici.adapters.providers.local.restyle.colour import (
    Flags,
    Floats,
    albedo,
    hue_of,
    luminance,
    rolled_off,
)

LEAST_GAIN: Final = 0.6
MOST_GAIN: Final = 1.35
CEILING_ALBEDO: Final = 0.85
BRIGHTEST: Final = 0.96  # linear light that a gain may lift a surface to


def white_point(small: Floats, ceiling: Flags, walls: Flags, windows: Flags) -> Floats:
    """Return the linear light that a perfectly white matt surface would send in this room.

    A ceiling is taken for white; half of its tint is put down to the light, half to its paint.
    """
    shaded = small[~windows] if not windows.all() else small.reshape(-1, 3)
    tint = np.ones(3, np.float32)
    brightness = float(np.percentile(luminance(shaded), 85))
    if ceiling.mean() > 0.02:
        median = np.median(small[ceiling], axis=0)
        brightness = float(luminance(median)) / CEILING_ALBEDO
        tint = np.sqrt(np.maximum(median, 1e-3) / max(float(luminance(median)), 1e-3))
    if walls.any():
        brightness = max(brightness, float(np.percentile(luminance(small[walls]), 60)) / 0.9)
    return np.asarray(max(brightness, 0.02) * tint, dtype=np.float32)


def gain(old: Floats, white: Floats, colour: str) -> Floats:
    """Return the factor per channel that turns a surface's light into that of another paint.

    ``old`` is the surface's median linear light. Factors stay within 0.6 and 1.35: the hue is kept
    and the strength gives way.
    """
    was = np.clip(old / white, 0.03, 0.95)
    wanted = np.log(albedo(colour) / was)
    least, most = np.log(LEAST_GAIN), np.log(MOST_GAIN)
    headroom = np.log(np.maximum(BRIGHTEST / np.maximum(old, 1e-3), 1.02))
    most = min(most, float(headroom.min()))
    middle = float(luminance(wanted.astype(np.float32)))
    tint = wanted - middle
    room = (most - least) / max(float(np.ptp(tint)), 1e-6)
    tint *= min(1.0, 0.6 * room)  # a deep colour needs room to be dark as well as strong
    middle = float(np.clip(middle, least - tint.min(), most - tint.max()))
    return np.asarray(np.exp(tint + middle), dtype=np.float32)


def paint(light: Floats, matte: Floats, factor: Floats) -> Floats:
    """Multiply the light of a surface; what gets brighter rolls off below white."""
    painted = light * (1 + matte[..., None] * (factor - 1))
    rolled = np.maximum(light, rolled_off(painted, 0.8))
    return np.where(painted > light, rolled, painted).astype(np.float32)


def stain(lab: Floats, matte: Floats, median: Floats, colour: str) -> Floats:
    """Shift hue and chroma of a floor towards a colour; lightness and grain stay."""
    depth = np.clip(lab[..., :1] / 55, 0.25, 1.2)  # dark boards take less colour
    shift = (hue_of(colour) * np.clip(median[0] / 60, 0.5, 1.1) - median[1:]) * 0.85
    stained = lab.copy()
    stained[..., 1:] += matte[..., None] * depth * shift
    return stained
