"""Multipart bodies, read from the bytes that the plane has taken note of already."""

import asyncio
from dataclasses import dataclass

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.base_protocol import BaseProtocol

from medici.fakes.serving import MOST_BODY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPart:
    name: str
    filename: str | None
    content_type: str
    data: bytes


async def form_parts(request: web.Request) -> tuple[FormPart, ...]:
    """Return every part of a form in its order, repeated names too; none of what is no form.

    Raises:
        ValueError: it cannot be read.
    """
    if request.content_type != "multipart/form-data":
        return ()
    reader = MultipartReader(request.headers, await _replayed(request))
    parts = []
    while isinstance(part := await reader.next(), BodyPartReader):
        parts.append(
            FormPart(
                name=part.name or "",
                filename=part.filename,
                content_type=part.headers.get("Content-Type", "text/plain"),
                data=bytes(await part.read()),
            )
        )
    return tuple(parts)


async def _replayed(request: web.Request) -> StreamReader:
    loop = asyncio.get_running_loop()
    # Nobody can be told to pause, since all has come already.
    stream = StreamReader(BaseProtocol(loop), limit=MOST_BODY_BYTES, loop=loop)
    stream.feed_data(await request.read())
    stream.feed_eof()
    return stream
