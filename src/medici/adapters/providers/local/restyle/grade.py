"""Changes the mood of a whole picture: light, warmth, contrast, tones, fabric."""

from typing import Final

import cv2
import numpy as np

from medici.adapters.providers.local.restyle.colour import (
    Flags,
    Floats,
    hue_of,
    luminance,
    rolled_off,
)
from medici.adapters.providers.local.restyle.styles import Grade

ZENITH: Final = np.array([0.07, 0.12, 0.30], np.float32)  # dusk as seen through a window
HORIZON: Final = np.array([0.34, 0.30, 0.42], np.float32)
GLOW: Final = np.array([1.5, 0.95, 0.4], np.float32)  # of a lamp, per channel
SHINE: Final = np.array([1.9, 1.6, 1.1], np.float32)  # of the lamp itself, to outdo the darkening
KNEE: Final = 0.75  # linear light from which highlights bend
MOST_CHROMA: Final = 45.0  # of a dyed fabric, Lab units


def expose(light: Floats, grade: Grade, strength: float) -> Floats:
    """Change exposure and white balance in linear light, with a shoulder below white."""
    warmth = grade.warmth * strength
    balance = np.exp(np.array([0.22, 0.02, -0.34], np.float32) * warmth)
    lifted = light * balance * np.float32(2 ** (grade.exposure * strength))
    brighter = lifted > np.maximum(light, KNEE)
    return np.where(brighter, np.maximum(rolled_off(lifted, KNEE), light), lifted).astype(
        np.float32
    )


def tone(lab: Floats, grade: Grade, strength: float) -> Floats:
    """Apply contrast, fade, saturation, split toning and vignette to a Lab picture, in place."""
    level = np.clip(lab[..., 0] / 100, 0, 1).astype(np.float32)
    curve = level + grade.contrast * strength * _s_curve(level)
    curve = curve + 0.16 * grade.fade * strength * (1 - level) ** 2
    curve *= 1 - grade.vignette * strength * _corners(lab.shape[:2])
    lab[..., 0] = 100 * curve
    lab[..., 1:] *= 1 + grade.saturation * strength
    dark, bright = (1 - level) ** 1.5, level**1.5
    for channel in (0, 1):
        tint = grade.shadows[channel] * dark + grade.lights[channel] * bright
        lab[..., 1 + channel] += strength * tint
    return lab


def fabrics(photo: Floats, keep: Floats) -> Floats:
    """Return how much each pixel is coloured cloth, 0..1; wood, skin and leaves are none.

    ``photo`` is Lab; ``keep`` (0..1) says which pixels are something else for sure.
    """
    chroma = np.hypot(photo[..., 1], photo[..., 2])
    hue = np.degrees(np.arctan2(photo[..., 2], photo[..., 1]))
    weight = np.clip((chroma - 9) / 6, 0, 1) * _away_from_wood_and_leaves(hue) * (1 - keep)
    weight *= _strong_somewhere(weight > 0, chroma)
    return np.asarray(cv2.GaussianBlur(weight.astype(np.float32), (0, 0), 1.2), dtype=np.float32)


def dye(lab: Floats, cloth: Floats, colour: str) -> Floats:
    """Turn the hue of cloth towards a colour, in place."""
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    target = hue_of(colour) / max(float(np.hypot(*hue_of(colour))), 1e-3)
    turned = np.minimum(chroma, MOST_CHROMA)[..., None] * target
    lab[..., 1:] += (0.85 * cloth)[..., None] * (turned - lab[..., 1:])
    return lab


def daylight(light: Floats, windows: Floats) -> Floats:
    """Return where the day itself is seen; bars and curtains before it are not."""
    bright = np.clip((luminance(light) - 0.6) / 0.3, 0, 1)
    return np.asarray(windows * bright, dtype=np.float32)


def dusk(light: Floats, outside: Floats, lamps: Floats) -> Floats:
    """Let the day outside turn to blue dusk, and the lamps that were found glow."""
    height = np.linspace(0, 1, light.shape[0], dtype=np.float32)[:, None, None]
    sky = ZENITH + (HORIZON - ZENITH) * height
    darkened = light + outside[..., None] * (sky - light)
    lit = darkened * (1 + _glow(lamps)[..., None] * GLOW)
    lit += lamps[..., None] * (light * SHINE - lit)
    return np.minimum(lit, 1).astype(np.float32)


def _glow(lamps: Floats) -> Floats:
    """Return the light that lamps throw around, 1 at its brightest; none without lamps."""
    height, width = lamps.shape
    small = cv2.resize(lamps, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    thrown = cv2.GaussianBlur(small, (0, 0), 0.011 * max(height, width)).astype(np.float32)
    return np.asarray(
        cv2.resize(thrown / max(float(thrown.max()), 1e-6), (width, height)), np.float32
    )


def _strong_somewhere(pale: Flags, chroma: Floats) -> Flags:
    """Keep patches that have a strong colour at their core; a tint of the light has none."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(pale.astype(np.uint8))
    strong = np.bincount(labels.ravel(), (chroma > 24).ravel())
    kept = strong > 0.1 * stats[:, cv2.CC_STAT_AREA]
    kept[0] = False
    return np.asarray(kept[labels], dtype=np.bool_)


def _s_curve(level: Floats) -> Floats:
    return np.asarray((level - 0.5) * 4 * level * (1 - level), dtype=np.float32)


def _corners(shape: tuple[int, ...]) -> Floats:
    down = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    corner = np.clip((down**2 + across**2) / 2 - 0.15, 0, 1)
    return np.asarray(corner**1.3, dtype=np.float32)


def _away_from_wood_and_leaves(hue: Floats) -> Floats:
    """Return 0 between 15 and 130 degrees, where skin, wood, sun and leaves lie, else 1."""
    near = np.minimum(np.abs(hue - 15), np.abs(hue - 130))
    within = (hue > 15) & (hue < 130)
    return np.where(within, 0, np.clip(near / 12, 0, 1)).astype(np.float32)
