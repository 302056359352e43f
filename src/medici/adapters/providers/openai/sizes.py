"""Choosing the size of the picture that is asked for."""

import struct
from math import log, sqrt

from medici.adapters.providers.openai.models import FIXED_SIZES, SQUARE, Model, Size

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
START_OF_IMAGE = b"\xff\xd8"
FIRST_MARKER = 0xFF00
FRAME_HEADERS = frozenset(range(0xFFC0, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}
GRID = 16  # both sides are multiples of it
FEWEST_PIXELS = 720_000  # 655,360 are asked for, and the grid takes up to 8 % away
MOST_PIXELS = 2560 * 1440  # what is larger counts as experimental
MOST_STRETCHED = 3.0  # the longer side, in times the shorter one


def measured(data: bytes) -> Size:
    """Read a picture's size from its first bytes; one that does not tell counts as square.

    Our own encoding is expected, which is PNG or JPEG.
    """
    try:
        width, height = _png_size(data) if data.startswith(PNG_MAGIC) else _jpeg_size(data)
    except struct.error:
        return SQUARE
    return (width, height) if width and height else SQUARE


def output_size(model: Model, *, room: Size, max_pixels: int) -> Size:
    """Return the size nearest to the room's shape, and as large as ``max_pixels`` lets it be.

    Where every size that the model takes has more pixels, it is the smallest.
    """
    if model.any_size:
        return _on_grid(room, max_pixels)
    fitting = [size for size in FIXED_SIZES if size[0] * size[1] <= max_pixels]
    return min(fitting or [SQUARE], key=lambda size: abs(log(_shape(size) / _shape(room))))


def _png_size(data: bytes) -> Size:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg_size(data: bytes) -> Size:
    at = len(START_OF_IMAGE)
    while True:
        marker, length = struct.unpack_from(">HH", data, at)
        if marker in FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if marker < FIRST_MARKER:
            return SQUARE
        at += 2 + length


def _on_grid(room: Size, max_pixels: int) -> Size:
    pixels = min(max(max_pixels, FEWEST_PIXELS), MOST_PIXELS)
    stretched = min(max(room) / min(room), MOST_STRETCHED)
    short = _snapped(sqrt(pixels / stretched))
    long = _snapped(short * stretched)
    return (long, short) if room[0] >= room[1] else (short, long)


def _shape(size: Size) -> float:
    width, height = size
    return width / height


def _snapped(length: float) -> int:
    return int(length) // GRID * GRID
