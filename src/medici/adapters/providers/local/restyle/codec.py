"""Bytes to pixels and back."""

import io

import cv2
import numpy as np
from PIL import Image, ImageOps

from medici.adapters.providers.local.restyle.colour import Bytes, Flags


def decode(data: bytes, max_pixels: int) -> Bytes:
    """Return the picture upright, in sRGB, at most ``max_pixels`` large.

    Raises:
        PIL.UnidentifiedImageError: the bytes are no picture.
        OSError: the picture is damaged.
    """
    with Image.open(io.BytesIO(data)) as opened:
        opened.draft("RGB", _fitting(opened.size, max_pixels))
        upright = ImageOps.exif_transpose(opened)
        picture = _flat(upright)
    size = _fitting(picture.size, max_pixels)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(picture, dtype=np.uint8)


def decode_mask(data: bytes, size: tuple[int, int]) -> Flags:
    """Return where a mask is white, at ``size`` (width, height)."""
    with Image.open(io.BytesIO(data)) as opened:
        grey = _flat(ImageOps.exif_transpose(opened), ground=0).convert("L")
    fitted = grey.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(fitted) > 127


def encode(pixels: Bytes, quality: int) -> bytes:
    """Return a progressive JPEG."""
    # Pillow's progressive encoder gives up on very noisy pictures.
    settings = [
        *(cv2.IMWRITE_JPEG_QUALITY, quality),
        *(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), settings)
    return data.tobytes()


def _flat(picture: Image.Image, ground: int = 255) -> Image.Image:
    """Return the picture without transparency, on a plain ground."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    flat = Image.new("RGBA", layered.size, (ground, ground, ground, 255))
    flat.alpha_composite(layered)
    return flat.convert("RGB")


def _fitting(size: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    width, height = size
    scale = min(1.0, (max_pixels / (width * height)) ** 0.5)
    return max(1, int(width * scale)), max(1, int(height * scale))
