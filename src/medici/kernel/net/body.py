"""Reading an answer's body without ever holding more than the caller allows."""

import zlib

from aiohttp import ClientResponse

from medici.kernel.net.errors import BadResponse, ResponseTooLarge

GZIP = 16 + zlib.MAX_WBITS


async def read_body(response: ClientResponse, max_bytes: int) -> bytes:
    """Read to the end, unpacking gzip; both forms are counted, whatever the headers claim.

    Raises:
        ResponseTooLarge: either form is longer than ``max_bytes``; reading stops there.
        BadResponse: packed in a way that was not asked for, or cut short.
    """
    unpack = _unpacker(response.headers.get("Content-Encoding", ""))
    parts: list[bytes] = []
    taken = unpacked = 0
    async for chunk in response.content.iter_any():
        taken += len(chunk)
        part = unpack.some(chunk, max_bytes - unpacked + 1)
        unpacked += len(part)
        if max(taken, unpacked) > max_bytes:
            raise ResponseTooLarge(max_bytes)
        parts.append(part)
    if taken and not unpack.complete:
        raise BadResponse("the packed body ends early")
    return b"".join(parts)


class _Plain:
    complete = True

    def some(self, chunk: bytes, _most: int) -> bytes:
        return chunk


class _Gzip:
    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(GZIP)

    @property
    def complete(self) -> bool:
        return self._inflate.eof

    def some(self, chunk: bytes, most: int) -> bytes:
        # ``most`` is one more than may still come, so a bomb is noticed without going off.
        try:
            return self._inflate.decompress(chunk, most)
        except zlib.error as error:
            raise BadResponse("the packed body is broken") from error


def _unpacker(encoding: str) -> _Plain | _Gzip:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Gzip()
    raise BadResponse("the body is packed in a way that was not asked for")
