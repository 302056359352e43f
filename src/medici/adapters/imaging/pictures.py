"""What goes into intake and what comes out of it."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """How much of a file we are willing to read."""

    max_bytes: int = 15 * MEBIBYTE
    max_pixels: int = 50_000_000
    max_side: int = 30_000  # pixels; no JPEG is longer than 65,535
    max_frames: int = 100
    max_output_bytes: int = 32 * MEBIBYTE  # a transparent picture grows when it becomes a PNG


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Pixels and nothing else: upright, sRGB, encoded by us."""

    data: bytes
    content_type: str
    width: int
    height: int
