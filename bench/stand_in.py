"""A provider that takes 200 ms for a picture and next to no processor time: a process of its own.

It speaks as much of OpenAI as an edit needs. The picture is always the same, small and ready, so
that whatever a render costs beyond it is ours.
"""

import asyncio
import io
import sys
from asyncio.subprocess import PIPE
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import orjson
import uvloop
from aiohttp import web
from PIL import Image

SECONDS = 0.2
SIZE = (96, 72)
EDITS = "/v1/images/edits"
MOST_BYTES = 64 * 1024 * 1024


@asynccontextmanager
async def stand_in() -> AsyncIterator[str]:
    """Have it up in a process of its own, and tell its address."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, stdout=PIPE)
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


def environment(base: str) -> Mapping[str, str]:
    """Return the variables that point Medici at it."""
    return {
        "OPENAI_API_BASE": f"{base}/v1",
        "OPENAI_API_KEY": "bench",
        "MEDICI_OUTBOUND_ALLOW": base.removeprefix("http://"),
    }


def _answer() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", SIZE, (188, 143, 96)).save(picture, "JPEG")
    width, height = SIZE
    return orjson.dumps(
        {
            "created": 1_790_000_000,
            "data": [{"b64_json": b64encode(picture.getvalue()).decode()}],
            "size": f"{width}x{height}",
            "quality": "low",
            "usage": {"input_tokens": 400, "output_tokens": 300, "total_tokens": 700},
        }
    )


async def _serve() -> None:
    answer = _answer()

    async def edit(request: web.BaseRequest) -> web.Response:
        await request.read()
        await asyncio.sleep(SECONDS)
        return web.Response(body=answer, content_type="application/json")

    runner = web.ServerRunner(web.Server(edit, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    host, port, *_ = runner.addresses[0]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        uvloop.run(_serve())
