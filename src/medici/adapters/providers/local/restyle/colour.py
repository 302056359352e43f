"""Colour spaces: bytes of sRGB, linear light and CIE Lab."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]  # height x width x 3, sRGB
Floats = NDArray[np.float32]  # linear light 0..1, or Lab with L in 0..100
Flags = NDArray[np.bool_]  # height x width

LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
WHITEST: Final = np.float32(0.965)  # linear light; nearer to 0 and 1 a byte says clipped
BLACKEST: Final = np.float32(0.001)
_CODES: Final = np.arange(256, dtype=np.float32) / 255
_TO_LINEAR: Final = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4)
_STEPS: Final = 8191
_LIGHT: Final = np.arange(_STEPS + 1) / _STEPS
_TO_SRGB: Final = np.where(_LIGHT <= 0.0031308, _LIGHT * 12.92, 1.055 * _LIGHT ** (1 / 2.4) - 0.055)
_TO_SRGB_CODES: Final = np.rint(_TO_SRGB * 255).astype(np.uint8)


def to_linear(pixels: Bytes) -> Floats:
    return np.take(_TO_LINEAR.astype(np.float32), pixels)


def from_linear(light: Floats) -> Bytes:
    """Encode linear light as sRGB bytes; values outside 0..1 are cut."""
    steps = np.clip(light, 0, 1) * _STEPS + 0.5
    return np.take(_TO_SRGB_CODES, steps.astype(np.int16))


def to_lab(pixels: Bytes) -> Floats:
    scaled = pixels.astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2Lab), dtype=np.float32)


def from_lab(lab: Floats) -> Bytes:
    """Encode Lab as sRGB bytes; a colour that sRGB lacks becomes paler, not another hue."""
    light = np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2LRGB), dtype=np.float32)
    grey = np.clip(luminance(light), BLACKEST, WHITEST)[..., None]
    red, green, blue = cv2.split(light)
    highest, lowest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    over = np.maximum(highest[..., None] - grey, 1e-6)
    under = np.maximum(grey - lowest[..., None], 1e-6)
    room = np.minimum((WHITEST - grey) / over, (grey - _least(grey)) / under)
    return from_linear(grey + np.minimum(room, 1) * (light - grey))


def linear_to_lab(light: Floats) -> Floats:
    return np.asarray(cv2.cvtColor(light, cv2.COLOR_LRGB2Lab), dtype=np.float32)


def rolled_off(light: Floats, knee: float) -> Floats:
    """Bend light above ``knee`` so that it nears white and never reaches it."""
    room = np.float32(1 - knee)
    over = np.maximum(light - np.float32(knee), 0)
    return np.where(over > 0, 1 - room * np.exp(-over / room), light).astype(np.float32)


def hue_of(code: str) -> Floats:
    """Return the Lab a and b of a colour written ``#rrggbb``."""
    return linear_to_lab(albedo(code).reshape(1, 1, 3))[0, 0, 1:]


def luminance(light: Floats) -> Floats:
    return np.asarray(light @ LUMINANCE, dtype=np.float32)


def _least(grey: Floats) -> Floats:
    """Return how low a channel may go beside this luminance, clear of what JPEG rounds to 0."""
    return np.minimum(grey, BLACKEST + grey / 8)


def dot(one: Floats, other: Floats) -> Floats:
    """Return the product of two pictures summed over their channels."""
    return np.asarray(np.einsum("ijk,ijk->ij", one, other), dtype=np.float32)


def albedo(code: str) -> Floats:
    """Return the linear reflectance of a colour written ``#rrggbb``."""
    channels = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)
    return to_linear(channels)
