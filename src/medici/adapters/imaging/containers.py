"""Reads what an image file says of itself, part by part, without decoding a pixel.

Everything that makes a decoder work hard (size, frames, scans, number of parts) or that shows
damage (lengths, checksums, a missing end) is judged here first. What follows the end is not read.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from medici.adapters.imaging.errors import UndecodableImage, UnsupportedImage

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
MAX_CHUNKS = 50_000
MAX_SEGMENTS = 500  # decoders join the pieces of EXIF one by one, at a cost that grows squared
MAX_SCANS = 64  # progressive files have about ten; each one passes over the whole picture

# A marker ends a run of 0xFF; 0xFF00 is an escaped byte, 0xFFD0 to D7 stand between coded rows.
MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
WITHOUT_LENGTH = frozenset({0x01, 0xD8, END_OF_IMAGE})


class Format(StrEnum):
    """The formats that we take, by the name that the decoder knows them by."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A file's own claims: size in pixels, and frames where it is animated (else 1)."""

    format: Format
    width: int
    height: int
    frames: int


def outline(data: bytes) -> Outline:
    """Tell format, size and frames from the first bytes and the structure.

    Raises:
        UnsupportedImage: neither JPEG nor PNG nor WEBP by its first bytes.
        UndecodableImage: damaged, cut short, or made of absurdly many parts.
    """
    if data.startswith(PNG_MAGIC):
        return _png(data)
    if data.startswith(JPEG_MAGIC):
        return _jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    raise UnsupportedImage("the file is not a JPEG, PNG or WEBP picture")


def _png(data: bytes) -> Outline:
    width = height = declared = shown = 0
    for number, (kind, body) in enumerate(_png_chunks(data)):
        if (number == 0) != (kind == b"IHDR"):
            raise UndecodableImage("the PNG header is missing or not where it belongs")
        if kind == b"IHDR":
            width, height = _big(body[:4]), _big(body[4:8])
        elif kind == b"acTL":
            declared = _big(body[:4])
        elif kind == b"fcTL":
            shown += 1
    return Outline(format=Format.PNG, width=width, height=height, frames=max(1, declared, shown))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view, at = memoryview(data), len(PNG_MAGIC)
    for _ in range(MAX_CHUNKS):
        end = at + 8 + _big(view[at : at + 4])
        kind, checksum = bytes(view[at + 4 : at + 8]), view[end : end + 4]
        if len(checksum) < 4:
            raise UndecodableImage("the PNG file is cut short")
        if zlib.crc32(view[at + 4 : end]) != _big(checksum):
            raise UndecodableImage("a PNG checksum is wrong")
        if kind == b"IEND":
            return
        yield kind, view[at + 8 : end]
        at = end + 4
    raise UndecodableImage("the PNG file has too many chunks")


def _jpeg(data: bytes) -> Outline:
    size: tuple[int, int] | None = None
    scans = 0
    for marker, body in _jpeg_segments(data):
        if marker in FRAME_HEADERS:
            if size:
                raise UndecodableImage("the JPEG file has two frame headers")
            size = _big(body[3:5]), _big(body[1:3])
        elif marker == START_OF_SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise UndecodableImage("the JPEG file has too many scans")
    if not (size and scans):
        raise UndecodableImage("the JPEG file holds no picture")
    return Outline(format=Format.JPEG, width=size[0], height=size[1], frames=1)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, memoryview]]:
    view, at = memoryview(data), 0
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(data, at)
        if not found:
            raise UndecodableImage("the JPEG file is cut short")
        marker, at = found[1][0], found.end()
        if marker == END_OF_IMAGE:
            return
        if marker in WITHOUT_LENGTH:
            continue
        end = at + _big(view[at : at + 2])
        yield marker, view[at + 2 : end]
        at = end
    raise UndecodableImage("the JPEG file has too many segments")


def _webp(data: bytes) -> Outline:
    size: tuple[int, int] | None = None
    frames = 0
    for kind, body in _webp_chunks(data):
        size = size or _webp_size(kind, body)
        frames += kind == b"ANMF"
    if not size:
        raise UndecodableImage("the WEBP file holds no picture")
    return Outline(format=Format.WEBP, width=size[0], height=size[1], frames=max(1, frames))


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view, at, end = memoryview(data), 12, 8 + _little(data[4:8])
    if end > len(data):
        raise UndecodableImage("the WEBP file is cut short")
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        length = _little(view[at + 4 : at + 8])
        yield bytes(view[at : at + 4]), view[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    raise UndecodableImage("the WEBP file has too many chunks")


def _webp_size(kind: bytes, body: memoryview) -> tuple[int, int] | None:
    """Read the size of the canvas, or of the one picture in a file without canvas."""
    if kind == b"VP8X":
        return 1 + _little(body[4:7]), 1 + _little(body[7:10])
    if kind == b"VP8L":  # 14 bits each, after a signature byte
        bits = _little(body[1:5])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":  # 14 bits each, the two above them ask for scaling
        return _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF
    return None


def _big(octets: bytes | memoryview) -> int:
    return int.from_bytes(octets, "big")


def _little(octets: bytes | memoryview) -> int:
    return int.from_bytes(octets, "little")
