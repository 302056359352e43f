"""Neither side can be made to read without bounds, or to misread."""

import asyncio
import json
from io import BytesIO

import pytest

from medici.adapters.imaging import frames
from medici.adapters.imaging.frames import BrokenFrame, Frame

FRAME = Frame(kind="done", body={"width": 3, "notes": ["ä"]}, blobs=[b"pixels", b""])


def raw(header: object) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(4, "big") + text


async def read(data: bytes) -> Frame:
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    return await frames.read(stream)


BROKEN = [
    b"\xff\xff\xff\xff",
    raw(b"not JSON"),
    raw(b"\xff\xfe"),
    raw([]),
    raw({"kind": "done", "body": {}}),
    raw({"kind": 1, "body": {}, "blobs": []}),
    raw({"kind": "done", "body": [], "blobs": []}),
    raw({"kind": "done", "body": {}, "blobs": [-1]}),
    raw({"kind": "done", "body": {}, "blobs": ["1"]}),
    raw({"kind": "done", "body": {}, "blobs": [0] * 17}),
    raw({"kind": "done", "body": {}, "blobs": [1 << 40]}),
]


class TestFrames:
    async def test_arrive_as_they_were_sent(self) -> None:
        data = b"".join(frames.encode(FRAME))

        assert await read(data) == FRAME
        assert frames.read_blocking(BytesIO(data)) == FRAME

    async def test_end_with_the_stream(self) -> None:
        data = b"".join(frames.encode(FRAME))

        for length in range(len(data)):
            with pytest.raises(asyncio.IncompleteReadError):
                await read(data[:length])
            assert frames.read_blocking(BytesIO(data[:length])) is None

    @pytest.mark.parametrize("data", BROKEN)
    async def test_out_of_bounds_are_refused_by_both_sides(self, data: bytes) -> None:
        with pytest.raises(BrokenFrame):
            await read(data)
        with pytest.raises(BrokenFrame):
            frames.read_blocking(BytesIO(data))

    def test_out_of_bounds_are_not_sent(self) -> None:
        with pytest.raises(BrokenFrame):
            frames.encode(Frame(kind="done", body={}, blobs=[b""] * 17))
        with pytest.raises(BrokenFrame):
            frames.encode(Frame(kind="done", body={"text": "x" * 2_000_000}))
