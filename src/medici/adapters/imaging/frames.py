"""How parent and child talk: a length, a JSON header, then the blobs whose lengths it names.

Bounds hold in both directions: a child that was taken over by a hostile picture must not be able
to fill its parent's memory.
"""

import asyncio
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from medici.kernel.errors import MediciError

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]

LENGTH = struct.Struct(">I")
MAX_HEADER_BYTES = 1024 * 1024
MAX_BLOBS = 16
MAX_BLOB_BYTES = 256 * 1024 * 1024  # all blobs of a frame together


class BrokenFrame(MediciError):
    """A message is beyond bounds, or does not keep to the protocol."""

    code = "broken_image_frame"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message. ``kind`` says what the ``body`` means."""

    kind: str
    body: JsonObject
    blobs: Sequence[bytes] = ()


def encode(frame: Frame) -> list[bytes]:
    """Return the frame as pieces to be written one after the other, without copying the blobs.

    Raises:
        BrokenFrame: larger than the other side would accept.
    """
    lengths = [len(blob) for blob in frame.blobs]
    header = json.dumps({"kind": frame.kind, "body": frame.body, "blobs": lengths}).encode()
    if len(header) > MAX_HEADER_BYTES:
        raise BrokenFrame("the header is too long")
    _check(lengths)
    return [LENGTH.pack(len(header)) + header, *frame.blobs]


async def read(stream: asyncio.StreamReader) -> Frame:
    """Read the next frame; ``asyncio.IncompleteReadError`` at the end of the stream."""
    length = _header_length(await stream.readexactly(LENGTH.size))
    kind, body, lengths = _header(await stream.readexactly(length))
    blobs = [await stream.readexactly(length) for length in lengths]
    return Frame(kind=kind, body=body, blobs=blobs)


def read_blocking(stream: BinaryIO) -> Frame | None:
    """Read the next frame, or None where the stream ends, be it inside a frame."""
    prefix = stream.read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    length = _header_length(prefix)
    text = stream.read(length)
    if len(text) < length:
        return None
    kind, body, lengths = _header(text)
    blobs = [stream.read(length) for length in lengths]
    if [len(blob) for blob in blobs] != lengths:
        return None
    return Frame(kind=kind, body=body, blobs=blobs)


def _header_length(prefix: bytes) -> int:
    length: int = LENGTH.unpack(prefix)[0]
    if length > MAX_HEADER_BYTES:
        raise BrokenFrame("the header is too long")
    return length


def _header(text: bytes) -> tuple[str, JsonObject, list[int]]:
    try:
        match json.loads(text):
            case {"kind": str(kind), "body": dict(body), "blobs": list(lengths)}:
                return kind, body, _check(lengths)
    except ValueError as error:
        raise BrokenFrame("the header is not JSON") from error
    raise BrokenFrame("the header lacks a part")


def _check(lengths: list[object] | list[int]) -> list[int]:
    sizes = [length for length in lengths if isinstance(length, int) and length >= 0]
    if len(sizes) != len(lengths) or len(sizes) > MAX_BLOBS or sum(sizes) > MAX_BLOB_BYTES:
        raise BrokenFrame("the blobs are too many or too long")
    return sizes
